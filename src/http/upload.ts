import type { FastifyRequest } from 'fastify';
import { AppError } from '../kernel/errors.js';
import type { StoredArtifact } from '../kernel/ports.js';
import type { HttpParts } from './routes.js';

/** The digest that the client expects, from `content-sha256`. */
const expectedDigest = (request: FastifyRequest): string | undefined => {
  const header = request.headers['content-sha256'];
  if (header === undefined) return undefined;
  if (typeof header === 'string' && /^[0-9a-f]{64}$/i.test(header)) return header.toLowerCase();
  throw new AppError('INVALID_INPUT', 'The header content-sha256 must be 64 hexadecimal digits', {
    fields: [{ path: 'content-sha256', message: 'must be 64 hexadecimal digits' }],
  });
};

const requireSize = (request: FastifyRequest, maxBytes: number): void => {
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced <= maxBytes) return;
  throw new AppError(
    'INVALID_INPUT',
    `The file is too large: at most ${String(maxBytes)} bytes are accepted`,
    { rule: 'artifact-size', maxBytes },
  );
};

/**
 * Stores the body of a request under its digest, as it streams in. What is too large or ends before its time is the
 * client's doing, not a fault of ours.
 */
export const storeBody = async (
  { outside, artifactMaxBytes: maxBytes }: HttpParts,
  request: FastifyRequest,
): Promise<StoredArtifact> => {
  requireSize(request, maxBytes);
  const expectedSha256 = expectedDigest(request);
  const { raw } = request;
  return outside.artifacts.put(raw, { maxBytes, expectedSha256 }).catch((error: unknown) => {
    if (error instanceof AppError || raw.complete) throw error;
    throw new AppError('INVALID_INPUT', 'The upload was cut off; nothing was kept. Send it again.', {
      rule: 'cut-off',
    });
  });
};
