import { createHash } from 'node:crypto';
import { AppError, invalidInput } from '../kernel/errors.js';
import type { PutOptions, StoredArtifact } from '../kernel/ports.js';

const digestForm = /^[0-9a-f]{64}$/;

/** Refuses a name that is no digest, so that no path or key is ever made of anything else. */
export const requireDigest = (sha256: string): string => {
  if (digestForm.test(sha256)) return sha256;
  throw invalidInput('A digest is 64 lower-case hexadecimal digits (sha256)', [
    { path: 'sha256', message: 'not a sha256 digest' },
  ]);
};

/**
 * Hands every chunk to `write` and returns digest and size of the whole. Refuses with INVALID_INPUT as soon as the
 * content is too large, and at the end when its digest is another than the expected one.
 */
export const digestWhile = async (
  content: AsyncIterable<Uint8Array>,
  options: PutOptions,
  write: (chunk: Uint8Array) => Promise<void>,
): Promise<StoredArtifact> => {
  const expected = options.expectedSha256?.toLowerCase();
  if (expected !== undefined) requireDigest(expected);
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of content) {
    bytes += chunk.byteLength;
    if (bytes > options.maxBytes) throw tooLarge(options.maxBytes);
    hash.update(chunk);
    await write(chunk);
  }
  const sha256 = hash.digest('hex');
  if (expected !== undefined && expected !== sha256) throw otherDigest(expected, sha256);
  return { sha256, bytes };
};

const tooLarge = (maxBytes: number): AppError =>
  new AppError(
    'INVALID_INPUT',
    `The artifact is larger than ${String(maxBytes)} bytes, the most that is accepted here (ARTIFACT_MAX_MB)`,
    { rule: 'artifact-size', maxBytes },
  );

const otherDigest = (expected: string, actual: string): AppError =>
  new AppError(
    'INVALID_INPUT',
    `The content has the digest ${actual}, but ${expected} was announced; it was changed or cut off on the way. Send it again.`,
    { rule: 'artifact-digest', expected, actual },
  );

/** Refuses because no content has this digest. */
export const noSuchContent = (sha256: string): AppError =>
  new AppError('NOT_FOUND', `No stored content has the digest ${sha256}`, { sha256 });
