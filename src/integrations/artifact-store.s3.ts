import { randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rm, type FileHandle, open as openFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  GetObjectCommand,
  HeadObjectCommand,
  NoSuchKey,
  NotFound,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import type { ArtifactStore, StoredArtifact, PutOptions } from '../kernel/ports.js';
import { digestWhile, noSuchContent, requireDigest } from './stream-digest.js';

/** Where in S3, or in a store that speaks its protocol. */
export interface S3Place {
  readonly bucket: string;
  readonly prefix: string;
  /** Another address than Amazon's; objects are then named by path. */
  readonly endpoint: string | null;
  readonly region: string;
}

const partBytes = 8 * 1_048_576;

/**
 * Content-addressed storage in a bucket: `<prefix>/sha256/ab/abcd…`. A stream is first kept in a local file while
 * its digest is computed, so that nothing reaches the bucket under a digest that is not its own; S3 shows an object
 * only when it is complete. Credentials come from where the AWS SDK looks for them.
 */
export const openS3Store = (place: S3Place): ArtifactStore => {
  const client = new S3Client({
    region: place.region,
    maxAttempts: 5,
    ...(place.endpoint === null ? {} : { endpoint: place.endpoint, forcePathStyle: true }),
  });
  const keyOf = (sha256: string): string => {
    const digest = requireDigest(sha256);
    return [place.prefix.replace(/\/$/, ''), 'sha256', digest.slice(0, 2), digest].filter(Boolean).join('/');
  };
  const bucket: Bucket = { client, name: place.bucket, keyOf };
  return {
    put: (content, options) =>
      withFolder((folder) => put(bucket, join(folder, randomUUID()), content, options)),
    open: (sha256) => read(bucket, sha256),
    withFile: (sha256, use) =>
      withFolder(async (folder) => {
        const path = join(folder, requireDigest(sha256));
        const content = await read(bucket, sha256);
        await pipeline(content, createWriteStream(path, { mode: 0o400, flags: 'wx' }));
        return use(path);
      }),
    has: (sha256) => has(bucket, sha256),
  };
};

interface Bucket {
  readonly client: S3Client;
  readonly name: string;
  readonly keyOf: (sha256: string) => string;
}

const withFolder = async <T>(work: (folder: string) => Promise<T>): Promise<T> => {
  const folder = await mkdtemp(join(tmpdir(), 'countersign-s3-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

const put = async (
  bucket: Bucket,
  path: string,
  content: AsyncIterable<Uint8Array>,
  options: PutOptions,
): Promise<StoredArtifact> => {
  const file = await openFile(path, 'wx', 0o600);
  const stored = await keep(file, content, options);
  if (await has(bucket, stored.sha256)) return stored;
  try {
    await new Upload({
      client: bucket.client,
      partSize: partBytes,
      queueSize: 3,
      params: {
        Bucket: bucket.name,
        Key: bucket.keyOf(stored.sha256),
        Body: createReadStream(path),
        ContentType: 'application/octet-stream',
        // What stands is never replaced.
        IfNoneMatch: '*',
      },
    }).done();
  } catch (error) {
    // Somebody stored the same content meanwhile.
    if (!(error instanceof S3ServiceException) || !isConflict(error)) throw error;
  }
  return stored;
};

const isConflict = (error: S3ServiceException): boolean =>
  [409, 412].includes(error.$metadata.httpStatusCode ?? 0);

const keep = async (
  file: FileHandle,
  content: AsyncIterable<Uint8Array>,
  options: PutOptions,
): Promise<StoredArtifact> => {
  try {
    return await digestWhile(content, options, async (chunk) => {
      await file.writeFile(chunk);
    });
  } finally {
    await file.close();
  }
};

const read = async (bucket: Bucket, sha256: string): Promise<Readable> => {
  try {
    const command = new GetObjectCommand({ Bucket: bucket.name, Key: bucket.keyOf(sha256) });
    const { Body: body } = await bucket.client.send(command);
    if (!(body instanceof Readable)) throw new Error('The object store answered without a body');
    return body;
  } catch (error) {
    if (error instanceof NoSuchKey) throw noSuchContent(sha256);
    throw error;
  }
};

const has = async (bucket: Bucket, sha256: string): Promise<boolean> => {
  try {
    await bucket.client.send(new HeadObjectCommand({ Bucket: bucket.name, Key: bucket.keyOf(sha256) }));
    return true;
  } catch (error) {
    if (error instanceof NotFound) return false;
    throw error;
  }
};
