import { z } from 'zod';
import { readCanonical } from './canonical.js';
import { ProofFault } from './fault.js';
import { isSignedBy, type TrustedKeys } from './keys.js';

/** What an in-toto statement is called in an envelope. */
export const statementType = 'application/vnd.in-toto+json';

/** What a revocation list is called in an envelope. */
export const revocationsType = 'application/vnd.countersign.revocations+json';

/** The bytes that are signed: DSSE's pre-authentication encoding, which binds the type to the content. */
export const pae = (payloadType: string, payload: Uint8Array): Buffer => {
  const type = Buffer.from(payloadType);
  return Buffer.concat([
    Buffer.from(`DSSEv1 ${String(type.length)} `),
    type,
    Buffer.from(` ${String(payload.length)} `),
    payload,
  ]);
};

const sha256Hex = z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hexadecimal digits');

/** Base64 in the one spelling that these bytes have. */
const base64 = z
  .string()
  .refine((text) => Buffer.from(text, 'base64').toString('base64') === text, 'must be base64');

const envelopeSchema = z.strictObject({
  payload: base64,
  payloadType: z.string().max(200),
  signatures: z.array(z.strictObject({ keyid: sha256Hex, sig: base64 })).length(1),
});

/** The largest envelope that is looked at. */
export const mostEnvelopeBytes = 32 * 1024 * 1024;

/** Puts a signed payload into an envelope. */
export const envelopeOf = (
  payloadType: string,
  payload: Uint8Array,
  signature: { readonly keyId: string; readonly bytes: Uint8Array },
): string =>
  JSON.stringify({
    payload: Buffer.from(payload).toString('base64'),
    payloadType,
    signatures: [{ keyid: signature.keyId, sig: Buffer.from(signature.bytes).toString('base64') }],
  });

/** The payload of an envelope, once its type is the expected one and a trusted key signed it. */
export const openEnvelope = (
  bytes: Uint8Array,
  expected: { readonly type: string; readonly keys: TrustedKeys; readonly what: string },
): { payload: Buffer; keyId: string } => {
  const { type, keys, what } = expected;
  const { payload, payloadType, signatures } = readCanonical(envelopeSchema, bytes, what);
  if (payloadType !== type) {
    throw new ProofFault('payload-type', `${what} holds ${payloadType}, not ${type}`);
  }
  const content = Buffer.from(payload, 'base64');
  const [signature] = signatures;
  if (!signature) throw new ProofFault('signature', `${what} is not signed`);
  if (!keys.has(signature.keyid)) {
    throw new ProofFault(
      'unknown-key',
      `${what} names the key ${signature.keyid.slice(0, 16)}…, which is not among the trusted ones`,
    );
  }
  if (!isSignedBy(keys, signature.keyid, pae(type, content), Buffer.from(signature.sig, 'base64'))) {
    throw new ProofFault('signature', `${what} was changed, or was not signed by the key that it names`);
  }
  return { payload: content, keyId: signature.keyid };
};
