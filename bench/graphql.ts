/**
 * A list of 50 rows with 10 fields, from memory, answered by our door (ad hoc and as a trusted document) and by the
 * peers. Every server is a process of its own, every measurement too; rounds are interleaved; bodies are compared.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import autocannon from 'autocannon';
import { report, type Measured } from './graphql/report.js';
import { document, variables } from './graphql/rows.js';

const file = fileURLToPath(import.meta.url);
const rounds = 5;
const seconds = 3;
const connections = 32;

const adHoc = JSON.stringify({ query: document, variables });
const trusted = JSON.stringify({
  documentId: createHash('sha256').update(document).digest('hex'),
  variables,
});

interface Variant {
  readonly name: string;
  readonly server: string;
  readonly body: string;
}

const variants: readonly Variant[] = [
  { name: 'Countersign, trusted', server: 'Countersign, trusted', body: trusted },
  { name: 'Countersign, ad hoc', server: 'Countersign, ad hoc', body: adHoc },
  ...['Apollo 5 default', 'Yoga 5', 'Mercurius 16', 'Mercurius 16 + jit'].map((name) => ({
    name,
    server: name,
    body: adHoc,
  })),
];

const headers = { 'content-type': 'application/json' };

/** Child: one server, told by name; says its port. */
const serve = async (name: string): Promise<void> => {
  const port = name.startsWith('Countersign')
    ? await (await import('./graphql/countersign.js')).startCountersign()
    : await (await import('./graphql/peers.js')).peers[name]?.();
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    process.send?.({ microseconds: user + system });
  });
  process.send?.({ port });
};

/** Child: one measurement. */
const measure = async (url: string, body: string, duration: number): Promise<void> => {
  const result = await autocannon({ url, method: 'POST', headers, body, connections, duration });
  if (result.non2xx > 0 || result.errors > 0)
    throw new Error(`${String(result.non2xx)} answers were refusals`);
  process.send?.({
    perSecond: result.requests.average,
    total: result.requests.total,
    p50: result.latency.p50,
    p99: result.latency.p99,
  });
};

const child = (...args: string[]): ChildProcess =>
  fork(file, args, { execArgv: ['--enable-source-maps'], env: { NODE_ENV: 'production', PATH: '' } });

/** The next message of a child; its end instead is a fault. */
const said = async (process: ChildProcess): Promise<Record<string, number>> => {
  const enough = new AbortController();
  const { signal } = enough;
  const ended = once(process, 'exit', { signal }).then(([code]) => {
    throw new Error(`A child of the benchmark ended with ${String(code)}`);
  });
  ended.catch(() => undefined);
  const [message] = (await Promise.race([once(process, 'message', { signal }), ended])) as [
    Record<string, number>,
  ];
  enough.abort();
  return message;
};

interface Served {
  readonly url: string;
  readonly process: ChildProcess;
}

const processorTime = async ({ process }: Served): Promise<number> => {
  process.send('how much');
  return (await said(process))['microseconds'] ?? 0;
};

const measured = async (served: Served, body: string, duration: number): Promise<Measured> => {
  const before = await processorTime(served);
  const {
    perSecond = 0,
    total = 1,
    p50 = 0,
    p99 = 0,
  } = await said(child('measure', served.url, body, String(duration)));
  return { perSecond, p50, p99, processor: ((await processorTime(served)) - before) / total };
};

const bodyOf = async (url: string, body: string): Promise<string> => {
  const response = await fetch(url, { method: 'POST', headers, body });
  const { data } = (await response.json()) as { data?: { items?: { nodes?: unknown[] } } };
  if (data?.items?.nodes?.length !== 50) throw new Error(`${url} did not answer 50 rows`);
  return JSON.stringify(data);
};

const startAll = async (): Promise<Map<string, Served>> => {
  const all = new Map<string, Served>();
  for (const server of new Set(variants.map((variant) => variant.server))) {
    const process = child('serve', server);
    const { port } = await said(process);
    const path = server === 'Apollo 5 default' ? '/' : '/graphql';
    all.set(server, { process, url: `http://127.0.0.1:${String(port)}${path}` });
  }
  return all;
};

const servedBy = (all: ReadonlyMap<string, Served>, { server }: Variant): Served => {
  const served = all.get(server);
  if (!served) throw new Error(`${server} was not started`);
  return served;
};

const requireSameBodies = async (all: ReadonlyMap<string, Served>): Promise<void> => {
  const bodies = await Promise.all(
    variants.map((variant) => bodyOf(servedBy(all, variant).url, variant.body)),
  );
  const different = variants.filter((_, index) => bodies[index] !== bodies[0]);
  if (different.length === 0) return;
  throw new Error(`${different.map(({ name }) => name).join(', ')} answered differently`);
};

const run = async (): Promise<void> => {
  console.log(
    `50 rows × 10 fields from memory; ${String(rounds)} rounds of ${String(seconds)} s, ${String(connections)} connections`,
  );
  const all = await startAll();
  try {
    await requireSameBodies(all);
    for (const variant of variants) await measured(servedBy(all, variant), variant.body, 2);
    const results = new Map<string, Measured[]>(variants.map(({ name }) => [name, []]));
    for (let round = 0; round < rounds; round += 1) {
      for (const variant of variants) {
        results.get(variant.name)?.push(await measured(servedBy(all, variant), variant.body, seconds));
        await sleep(200);
      }
      console.log(`round ${String(round + 1)} of ${String(rounds)} done`);
    }
    report(results, { rounds, seconds, connections });
  } finally {
    for (const { process } of all.values()) process.kill();
  }
};

const [mode, ...args] = process.argv.slice(2);
if (mode === 'serve') {
  await serve(args[0] ?? '');
} else if (mode === 'measure') {
  await measure(args[0] ?? '', args[1] ?? '', Number(args[2]));
  process.exit(0);
} else {
  await run();
}
