import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import type { ArtifactStore } from '../kernel/ports.js';

const megabyte = 1_048_576;

/** What every artifact store keeps to; `open` gives the one store of the test file. */
export const artifactStoreContract = (open: () => ArtifactStore): void => {
  storingContract(open);
  refusalContract(open);
};

const storingContract = (open: () => ArtifactStore): void => {
  test('content comes back as it was, under its sha256', async () => {
    const content = randomBytes(3 * megabyte + 17);
    const stored = await open().put(inChunks(content), { maxBytes: 4 * megabyte });
    expect(stored).toEqual({ sha256: digestOf(content), bytes: content.length });
    expect(await collect(await open().open(stored.sha256))).toEqual(content);
    expect(await open().withFile(stored.sha256, (path) => readFile(path))).toEqual(content);
    expect(await open().has(stored.sha256)).toBe(true);
  });

  test('an empty stream is content too', async () => {
    const stored = await open().put(inChunks(Buffer.alloc(0)), { maxBytes: 1 });
    expect(stored.bytes).toBe(0);
    expect(await collect(await open().open(stored.sha256))).toEqual(Buffer.alloc(0));
  });

  test('the same content stored by many at once is stored once and stays whole', async () => {
    const content = randomBytes(megabyte);
    const puts = Array.from({ length: 6 }, () => open().put(inChunks(content), { maxBytes: megabyte }));
    const digests = new Set((await Promise.all(puts)).map(({ sha256 }) => sha256));
    expect(digests).toEqual(new Set([digestOf(content)]));
    expect(await collect(await open().open(digestOf(content)))).toEqual(content);
  });

  test('content of exactly the largest size is taken, with an announced digest of either case', async () => {
    const content = randomBytes(1000);
    const expectedSha256 = digestOf(content).toUpperCase();
    await expect(open().put(inChunks(content), { maxBytes: 1000, expectedSha256 })).resolves.toMatchObject({
      bytes: 1000,
    });
  });
};

const refusalContract = (open: () => ArtifactStore): void => {
  test('what is too large is refused before all of it was read, and leaves nothing', async () => {
    let read = 0;
    const content = randomBytes(megabyte);
    const counted = async function* (): AsyncGenerator<Buffer> {
      for await (const chunk of inChunks(content)) {
        read += chunk.length;
        yield chunk;
      }
    };
    await expect(open().put(counted(), { maxBytes: 200_000 })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      details: { rule: 'artifact-size' },
    });
    expect(read).toBeLessThan(content.length / 2);
    expect(await open().has(digestOf(content))).toBe(false);
  });

  test('content with another digest than announced is refused under both digests', async () => {
    const content = randomBytes(5000);
    const expectedSha256 = digestOf(Buffer.from('something else'));
    await expect(open().put(inChunks(content), { maxBytes: megabyte, expectedSha256 })).rejects.toMatchObject(
      {
        code: 'INVALID_INPUT',
        details: { rule: 'artifact-digest', expected: expectedSha256, actual: digestOf(content) },
      },
    );
    expect(await open().has(digestOf(content))).toBe(false);
    expect(await open().has(expectedSha256)).toBe(false);
  });

  test('a stream that breaks off leaves nothing under any name', async () => {
    const content = randomBytes(100_000);
    const broken = async function* (): AsyncGenerator<Buffer> {
      yield await Promise.resolve(content);
      throw new Error('The connection broke');
    };
    await expect(open().put(broken(), { maxBytes: megabyte })).rejects.toThrow('The connection broke');
    expect(await open().has(digestOf(content))).toBe(false);
  });

  test('content that is not there is not found, for a stream and for a file', async () => {
    const absent = digestOf(randomBytes(8));
    await expect(open().open(absent)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(open().withFile(absent, () => Promise.resolve())).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    expect(await open().has(absent)).toBe(false);
  });

  test.each(['../../etc/passwd', '', 'ABC', 'g'.repeat(64)])(
    'the name %j is no digest and is refused',
    async (name) => {
      await expect((async () => open().open(name))()).rejects.toMatchObject({ code: 'INVALID_INPUT' });
      await expect((async () => open().has(name))()).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    },
  );
};

const digestOf = (content: Buffer): string => createHash('sha256').update(content).digest('hex');

const inChunks = async function* (content: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < content.length; at += 65_536)
    yield await Promise.resolve(content.subarray(at, at + 65_536));
};

const collect = async (stream: AsyncIterable<Uint8Array>): Promise<Buffer> => {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
};
