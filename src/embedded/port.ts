import { createServer } from 'node:net';
import { join } from 'node:path';
import { readIfThere } from './files.js';

const TRIES = 20;

/** A free port on loopback: the one noted in `folder/port` if possible, else the first free one from `first` on. */
export async function choosePort(
  folder: string,
  first: number,
  avoid: readonly number[] = [],
): Promise<number> {
  const remembered = Number(await readIfThere(join(folder, 'port')));
  const inOrder = [remembered, ...Array.from({ length: TRIES }, (_, index) => first + index)];
  for (const port of inOrder) {
    if (isPort(port) && !avoid.includes(port) && (await probe(port)) === port) return port;
  }
  const any = await probe(0);
  if (any === undefined) throw new Error('There is no free port on 127.0.0.1.');
  return any;
}

function isPort(value: number): boolean {
  return Number.isInteger(value) && value >= 1024 && value <= 65_535;
}

/** Whether a port of loopback can be taken (0: any); gives the port. */
function probe(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => {
      resolve(undefined);
    });
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      const address = server.address();
      server.close(() => {
        resolve(typeof address === 'object' ? address?.port : undefined);
      });
    });
  });
}
