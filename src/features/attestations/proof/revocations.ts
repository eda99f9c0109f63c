import { z } from 'zod';
import { readCanonical } from './canonical.js';
import { openEnvelope, revocationsType } from './dsse.js';
import { ProofFault } from './fault.js';
import type { TrustedKeys } from './keys.js';

/** Why an attestation no longer holds. ENDPOINT_SUSPENDED leaves the list when the endpoint may decide again. */
export const revocationReason = z
  .enum(['SUPERSEDED', 'VERSION_DELETED', 'ENDPOINT_SUSPENDED', 'REVOKED'])
  .meta({ id: 'RevocationReason' });

/** One reason of the closed list. */
export type RevocationReason = z.output<typeof revocationReason>;

const time = z.iso.datetime({ precision: 3 });

const listSchema = z.strictObject({
  coversFrom: time.describe('Of what ended before this, the list no longer knows whether it was revoked.'),
  issued: time,
  issuer: z.string().max(2000),
  nextUpdate: time.describe('Until then the list is fresh.'),
  number: z.int().min(0).describe('Grows with every revocation, and when one is lifted.'),
  revoked: z
    .array(z.strictObject({ at: time, attestation: z.uuid(), reason: revocationReason }))
    .max(200_000),
  schema: z.literal('countersign.revocations/1'),
});

/** What is revoked, at a moment. */
export type RevocationList = z.output<typeof listSchema>;

/** Reads a revocation list that a trusted key signed; refuses everything else. */
export const readRevocations = (bytes: Uint8Array, keys: TrustedKeys): RevocationList => {
  const what = 'The revocation list';
  const { payload } = openEnvelope(bytes, { type: revocationsType, keys, what });
  const list = readCanonical(listSchema, payload, 'What the revocation list says');
  if (list.issuer !== keys.issuer) {
    throw new ProofFault(
      'issuer',
      `The revocation list is of ${list.issuer}, the keys are of ${keys.issuer}`,
    );
  }
  return list;
};
