import { createHash, createPublicKey, verify, type KeyObject } from 'node:crypto';
import { z } from 'zod';
import { readCanonical } from './canonical.js';
import { ProofFault } from './fault.js';

/** The keys that an installation publishes: `/.well-known/countersign/keys.json`. */
export const keysDocument = z.strictObject({
  issuer: z.string().max(2000),
  keys: z
    .array(
      z.strictObject({
        algorithm: z.literal('ed25519'),
        keyId: z.string().regex(/^[0-9a-f]{64}$/),
        publicKey: z.string().max(2000).describe('SubjectPublicKeyInfo, PEM.'),
        use: z.enum(['sign', 'verify']).describe('`sign`: new documents are signed with it.'),
      }),
    )
    .min(1)
    .max(100),
  schema: z.literal('countersign.keys/1'),
});

/** The largest file of keys that is looked at. */
export const mostKeysBytes = 256 * 1024;

/** Keys that somebody decided to trust, by their names, and whose they are. */
export interface TrustedKeys {
  readonly issuer: string;
  has(keyId: string): boolean;
  get(keyId: string): KeyObject | undefined;
}

const keyOf = ({ keyId, publicKey }: { keyId: string; publicKey: string }): KeyObject => {
  const faulty = (): ProofFault =>
    new ProofFault('malformed', `The key ${keyId.slice(0, 16)}… of the keys is not what its name says`);
  let key: KeyObject;
  try {
    key = createPublicKey(publicKey);
  } catch {
    throw faulty();
  }
  const der = key.export({ type: 'spki', format: 'der' });
  const isNamed = createHash('sha256').update(der).digest('hex') === keyId;
  const isPlain = key.export({ type: 'spki', format: 'pem' }) === publicKey;
  if (key.asymmetricKeyType !== 'ed25519' || !isNamed || !isPlain) throw faulty();
  return key;
};

/** Reads a file of published keys; each key must be what its name says. */
export const readKeys = (bytes: Uint8Array): TrustedKeys => {
  const document = readCanonical(keysDocument, bytes, 'The file of keys');
  const keys = new Map(document.keys.map((key) => [key.keyId, keyOf(key)]));
  if (keys.size < document.keys.length) {
    throw new ProofFault('malformed', 'The file of keys names a key twice');
  }
  if (document.keys.filter(({ use }) => use === 'sign').length !== 1) {
    throw new ProofFault('malformed', 'The file of keys must name one key that signs');
  }
  return { issuer: document.issuer, has: (keyId) => keys.has(keyId), get: (keyId) => keys.get(keyId) };
};

/** Whether these bytes were signed by this key. */
export const isSignedBy = (
  keys: TrustedKeys,
  keyId: string,
  bytes: Uint8Array,
  signature: Uint8Array,
): boolean => {
  const key = keys.get(keyId);
  return key !== undefined && verify(null, bytes, key, signature);
};
