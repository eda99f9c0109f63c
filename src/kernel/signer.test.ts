import { createPublicKey, verify } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openSigner, rotateSigningKeys, type Signer } from './signer.js';

let folder = '';
let path = '';
let count = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'countersign-signer-'));
});
beforeEach(() => {
  count += 1;
  path = join(folder, String(count), 'signing-keys.json');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Content {
  current: string;
  keys: Record<string, { publicKey: string; privateKey?: string }>;
}

const contentOf = async (): Promise<Content> => JSON.parse(await readFile(path, 'utf8')) as Content;
const open = (createIfMissing = false) => openSigner(path, { createIfMissing, issuer: 'https://here.test' });
const words = Buffer.from('what is signed');
const pemOf = ({ publishedKeys }: Signer, keyId: string): string =>
  publishedKeys.find((key) => key.keyId === keyId)?.pem ?? '';

/** Writes a changed file of a fresh key. */
const spoil = async (change: (content: Content, id: string) => unknown): Promise<void> => {
  const { keyId } = await open(true);
  await writeFile(path, JSON.stringify(change(await contentOf(), keyId)));
};

describe('a signer', () => {
  test('is made with one key that only its owner may read; strangers can check what it signs', async () => {
    const signer = await open(true);
    const signature = await signer.sign(words);

    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(signer.publishedKeys).toMatchObject([{ keyId: signer.keyId, signs: true }]);
    expect(verify(null, words, createPublicKey(pemOf(signer, signer.keyId)), signature)).toBe(true);
    expect(await (await open()).sign(words)).toEqual(signature);
  });

  test('is the same for all processes that start at once', async () => {
    const signers = await Promise.all(Array.from({ length: 8 }, () => open(true)));

    expect(new Set(signers.map(({ keyId }) => keyId)).size).toBe(1);
  });

  test('shows nothing of its private key, whatever prints it', async () => {
    const signer = await open(true);
    const { keys } = await contentOf();

    const { privateKey } = keys[signer.keyId] ?? {};
    expect(privateKey).toMatch(/^MC4C/);
    expect(JSON.stringify(signer)).not.toContain(privateKey);
    expect(JSON.stringify(signer)).not.toContain('PRIVATE');
  });

  test('signs with a new key after a rotation, and what the former one signed can still be checked', async () => {
    const before = await open(true);
    const old = await before.sign(words);

    const { former, current } = await rotateSigningKeys(path);
    const after = await open();

    expect(former).toBe(before.keyId);
    expect(after.keyId).toBe(current);
    expect(after.publishedKeys.map(({ keyId, signs }) => ({ keyId, signs }))).toEqual(
      expect.arrayContaining([
        { keyId: former, signs: false },
        { keyId: current, signs: true },
      ]),
    );
    expect(verify(null, words, createPublicKey(pemOf(after, former)), old)).toBe(true);
    expect((await contentOf()).keys[former]?.privateKey).toBeUndefined();
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });
});

describe('a file of signing keys is refused, without its content,', () => {
  test('when it is not there and must not be made', async () => {
    await expect(open()).rejects.toThrow('countersign keys create');
  });

  test.each<[string, (content: Content, id: string) => unknown, string]>([
    ['when it is no JSON object', () => 'nonsense', 'not usable'],
    ['when nothing in it signs', ({ keys }) => ({ keys, current: 'other' }), 'names no private key'],
    [
      'when a key has another name than its digest',
      ({ keys }, id) => ({ current: 'me', keys: { me: keys[id] } }),
      'not the sha256',
    ],
    [
      'when a key is none',
      ({ current }, id) => ({ current, keys: { [id]: { publicKey: 'AAAA', privateKey: 'AAAA' } } }),
      'no Ed25519 key',
    ],
    [
      'when the private key belongs to another',
      ({ current, keys }, id) => ({ current, keys: { [id]: { ...keys[id], privateKey: 'AAAA' } } }),
      'another one',
    ],
  ])('%s', async (_, change, sentence) => {
    await spoil(change);

    const refusal = await open().catch((error: unknown) => String(error));

    expect(refusal).toContain(sentence);
    expect(refusal).not.toContain('MC4C');
  });
});
