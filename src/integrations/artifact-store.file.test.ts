import { mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ArtifactStore } from '../kernel/ports.js';
import { artifactStoreContract } from '../testing/artifact-store.contract.js';
import { openFileStore } from './artifact-store.file.js';

let folder = '';
let store: ArtifactStore;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'countersign-artifacts-'));
  store = await openFileStore(folder);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

artifactStoreContract(() => store);

const one = async function* (text: string): AsyncGenerator<Buffer> {
  yield await Promise.resolve(Buffer.from(text));
};

test('stored content is a read-only file, and no upload leaves anything beside it', async () => {
  const { sha256 } = await store.put(one('kept'), { maxBytes: 10 });
  const { mode } = await stat(join(folder, 'sha256', sha256.slice(0, 2), sha256));
  expect(mode & 0o777).toBe(0o400);
  expect(await readdir(join(folder, 'incoming'))).toEqual([]);
});

test('what a killed upload left is removed a day later, what is being uploaded stays', async () => {
  const incoming = join(folder, 'incoming');
  await writeFile(join(incoming, 'old'), 'half');
  await writeFile(join(incoming, 'young'), 'half');
  const dayBefore = new Date(Date.now() - 25 * 3_600_000);
  await utimes(join(incoming, 'old'), dayBefore, dayBefore);
  await openFileStore(folder);
  expect(await readdir(incoming)).toEqual(['young']);
  await rm(join(incoming, 'young'));
});
