import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateBucketCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { artifactStoreContract } from '../testing/artifact-store.contract.js';
import { openS3Store } from './artifact-store.s3.js';

const isThere = spawnSync('moto_server', ['--help'], { stdio: 'ignore' }).status === 0;

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  return typeof address === 'object' && address ? address.port : 0;
};

/** A server that speaks the protocol of S3, in memory, with one bucket. */
const startObjectStore = async () => {
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${String(port)}`;
  const server = spawn('moto_server', ['-H', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' });
  for (let tries = 0; tries < 200; tries += 1) {
    if (await fetch(endpoint).catch(() => null)) break;
    await sleep(100);
  }
  const client = new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true });
  await client.send(new CreateBucketCommand({ Bucket: 'artifacts' }));
  const stop = async (): Promise<void> => {
    const ended = once(server, 'exit');
    server.kill('SIGKILL');
    await ended;
  };
  return { endpoint, client, stop };
};

if (isThere) {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
  const objects = await startObjectStore();
  const place = {
    bucket: 'artifacts',
    prefix: 'countersign/',
    endpoint: objects.endpoint,
    region: 'us-east-1',
  };
  const store = openS3Store(place);
  afterAll(objects.stop);

  describe('artifacts in S3', () => {
    artifactStoreContract(() => store);

    test('lie under the prefix by their digest, and many parts make one object', async () => {
      const part = Buffer.alloc(1_048_576, 7);
      const content = async function* (): AsyncGenerator<Buffer> {
        for (let count = 0; count < 20; count += 1) yield await Promise.resolve(part);
      };
      const { sha256 } = await store.put(content(), { maxBytes: 2 ** 25 });
      const { Contents: found = [] } = await objects.client.send(
        new ListObjectsV2Command({
          Bucket: 'artifacts',
          Prefix: `countersign/sha256/${sha256.slice(0, 2)}/${sha256}`,
        }),
      );
      expect(found.map(({ Size }) => Size)).toEqual([20 * part.length]);
      let bytes = 0;
      for await (const chunk of await store.open(sha256)) bytes += chunk.byteLength;
      expect(bytes).toBe(20 * part.length);
    });
  });
} else {
  test.skip('artifacts in S3: moto_server is not installed (pip install "moto[server]")', () => undefined);
}
