import { createHash } from 'node:crypto';
import { Agent, request as httpRequest } from 'node:http';
import type { ClientRequest, Operation, Ready } from './operations.js';
import { processorMs } from './processor.js';
import type { Side } from './servers.js';

const connections = 16;

const send = (agent: Agent, side: Side, { method, path, body }: ClientRequest): Promise<number> =>
  new Promise((resolve, reject) => {
    const { hostname, port, pathname } = new URL(side.uri);
    const base = pathname === '/' ? '' : pathname;
    const type =
      body === undefined || typeof body === 'string' ? 'application/json' : 'application/octet-stream';
    const headers = {
      ...side.headers,
      ...(body === undefined ? {} : { 'content-type': type, 'content-length': Buffer.byteLength(body) }),
    };
    const request = httpRequest(
      { agent, hostname, port, method, path: `${base}${path}`, headers },
      (response) => {
        let bytes = 0;
        let said = '';
        response.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
          if (response.statusCode !== 200) said += chunk.toString();
        });
        response.once('error', reject);
        response.once('end', () => {
          if (response.statusCode === 200) resolve(bytes);
          else
            reject(
              new Error(
                `${side.name}: ${method} ${path} was answered with ${String(response.statusCode)}: ${said.slice(0, 300)}`,
              ),
            );
        });
      },
    );
    request.once('error', reject);
    request.end(body);
  });

/** Operations per second under sixteen connections, and how long one takes then. */
export interface Throughput {
  readonly perSecond: number;
  readonly p99: number;
  /** Processor time of the server for one operation, in milliseconds. */
  readonly processor: number;
}

const percentile = (sorted: readonly number[], part: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? NaN;

/** Sixteen connections, each with the next operation as soon as it has done one. */
export const sustain = async (
  side: Side,
  operation: Operation,
  from: number,
  seconds: number,
): Promise<Throughput> => {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const took: number[] = [];
  const before = processorMs(side.counted);
  let n = from;
  const started = performance.now();
  const until = started + seconds * 1000;
  const work = async (): Promise<void> => {
    while (performance.now() < until) {
      n += 1;
      const requests = operation.requests(n);
      const begun = performance.now();
      for (const request of requests) await send(agent, side, request);
      took.push(performance.now() - begun);
    }
  };
  await Promise.all(Array.from({ length: connections }, work));
  const elapsed = (performance.now() - started) / 1000;
  agent.destroy();
  const sorted = took.toSorted((one, other) => one - other);
  const processor = (processorMs(side.counted) - before) / took.length;
  return { perSecond: took.length / elapsed, p99: percentile(sorted, 0.99), processor };
};

/** Megabytes per second of one file of 100 MB, up and down again. */
export interface Transfer {
  readonly up: number;
  readonly down: number;
  /** Processor time of the server for both, in milliseconds. */
  readonly processor: number;
}

const megabytes = 100;

/** Content that no earlier upload had, so that nobody finds it there already. */
const freshContent = (seed: string): Uint8Array<ArrayBuffer> => {
  const content = new Uint8Array(megabytes * 1_048_576);
  const block = createHash('sha512').update(seed).digest();
  for (let at = 0; at < content.length; at += block.length) content.set(block, at);
  content.set(Buffer.from(seed), content.length - 64);
  return content;
};

/** Sends a file and fetches it. */
export const transfer = async (side: Side, ready: Ready, seed: string): Promise<Transfer> => {
  const agent = new Agent({ keepAlive: true });
  const path = `/api/2.0/mlflow-artifacts/artifacts/0/${ready.runId}/artifacts/${seed}.bin`;
  const body = freshContent(`${side.name} ${seed}`);
  const before = processorMs(side.counted);
  const begun = performance.now();
  await send(agent, side, { method: 'PUT', path, body });
  const sent = performance.now();
  const bytes = await send(agent, side, { method: 'GET', path });
  const fetched = performance.now();
  agent.destroy();
  if (bytes !== body.length) throw new Error(`${side.name} gave back ${String(bytes)} bytes`);
  const processor = processorMs(side.counted) - before;
  return { processor, up: megabytes / ((sent - begun) / 1000), down: megabytes / ((fetched - sent) / 1000) };
};
