import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openKeyring } from './keyring.js';

let folder = '';
let path = '';
let count = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'countersign-keyring-'));
});
beforeEach(() => {
  count += 1;
  path = join(folder, String(count), 'keyring.json');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Content {
  current: string;
  keys: Record<string, string>;
}

const contentOf = async (): Promise<Content> => JSON.parse(await readFile(path, 'utf8')) as Content;
const open = (createIfMissing = false) => openKeyring(path, { createIfMissing });
const secret = randomBytes(32);
const newKey = (): string => randomBytes(32).toString('base64');

describe('a keyring', () => {
  test('is made with one key that only its owner may read, and opens again', async () => {
    const wrapped = await (await open(true)).wrap(secret);

    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await (await open()).unwrap(wrapped)).toEqual(secret);
    expect(wrapped.includes(secret)).toBe(false);
  });

  test('is the same for all processes that start at once', async () => {
    const rings = await Promise.all(Array.from({ length: 8 }, () => open(true)));
    const wrapped = await Promise.all(rings.map((ring) => ring.wrap(secret)));

    const later = await open();

    for (const one of wrapped) expect(await later.unwrap(one)).toEqual(secret);
  });

  test('can change its key: new ones are wrapped with the current one, old ones stay readable', async () => {
    const old = await (await open(true)).wrap(secret);
    const { keys } = await contentOf();
    await writeFile(path, JSON.stringify({ current: 'k2', keys: { ...keys, k2: newKey() } }));

    const rotated = await open();
    const fresh = await rotated.wrap(secret);

    expect(await rotated.unwrap(old)).toEqual(secret);
    expect(await rotated.unwrap(fresh)).toEqual(secret);
    expect(fresh.subarray(1, 3).toString()).toBe('k2');
  });

  test('that is missing or damaged is told in a sentence for whoever starts the program, and is no bug', async () => {
    const code = 'PRECONDITION_FAILED';
    await expect(open()).rejects.toMatchObject({
      code,
      message: expect.stringContaining('does not exist') as string,
    });
    await open(true);
    await writeFile(path, '{}');
    await expect(open()).rejects.toMatchObject({
      code,
      message: expect.stringContaining('not usable') as string,
    });
  });

  test('names the key that is missing', async () => {
    const old = await (await open(true)).wrap(secret);
    await writeFile(path, JSON.stringify({ current: 'k2', keys: { k2: newKey() } }));

    const ring = await open();

    await expect(ring.unwrap(old)).rejects.toThrow('no key named k1');
  });

  test('does not open what another key of the same name wrapped, nor what was changed', async () => {
    const ring = await open(true);
    const wrapped = await ring.wrap(secret);
    const changed = Buffer.from(wrapped);
    changed[20] = (changed[20] ?? 0) ^ 1;
    await expect(ring.unwrap(changed)).rejects.toThrow();
    await writeFile(path, JSON.stringify({ current: 'k1', keys: { k1: newKey() } }));

    const other = await open();

    await expect(other.unwrap(wrapped)).rejects.toThrow();
  });

  test('is not made where it is expected to be', async () => {
    await expect(open()).rejects.toThrow('does not exist');
  });

  test.each([
    ['is not JSON', '{"current":"k1","keys":{"k1":"c2VjcmV0', 'is not usable'],
    ['names a current key that it has not', { current: 'k9', keys: { k1: newKey() } }, 'current names a key'],
    ['has a key that is too short', { current: 'k1', keys: { k1: 'c2VjcmV0' } }, 'keys.k1 must be 32 bytes'],
  ])('that %s is refused, and the message holds nothing of it', async (_, content, message) => {
    await open(true);
    await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));

    const refused: unknown = await open().catch((error: unknown) => error);

    expect(String(refused)).toContain(message);
    expect(String(refused)).not.toContain('c2VjcmV0');
  });
});
