import { generateKeyPair, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import type { Account } from '../child.js';
import { fault } from '../fault.js';
import { readIfThere, writePrivately } from '../files.js';

const text = z.string().min(1);
const signingShape = z.object({
  kty: z.literal('RSA'),
  kid: text,
  use: z.literal('sig'),
  alg: z.literal('RS256'),
  n: text,
  e: text,
  d: text,
  p: text,
  q: text,
  dp: text,
  dq: text,
  qi: text,
});
const keysShape = z.object({ signing: signingShape, cookies: z.array(text).min(1) });

/** What the provider signs with: ID tokens with an RSA key (RS256, which every client accepts), cookies with a secret. */
export type ProviderKeys = z.infer<typeof keysShape>;

/**
 * Reads the keys of this home, or makes them. They outlive a restart, so that an application which holds the old
 * key set does not have to be restarted too.
 */
export async function loadKeys(folder: string, owner?: Account): Promise<ProviderKeys> {
  const path = join(folder, 'keys.json');
  const known = await readIfThere(path);
  if (known !== undefined) return parseKeys(known, path);
  const made = await makeKeys();
  await writePrivately(path, `${JSON.stringify(made)}\n`, owner);
  return made;
}

function parseKeys(content: string, path: string): ProviderKeys {
  try {
    return keysShape.parse(JSON.parse(content));
  } catch (error) {
    throw fault(`The key file ${path} is damaged. Delete it; new keys are made at the next start.`, error);
  }
}

async function makeKeys(): Promise<ProviderKeys> {
  const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 });
  const kid = randomBytes(8).toString('base64url');
  const signing = { ...privateKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'RS256' };
  return keysShape.parse({ signing, cookies: [randomBytes(32).toString('base64url')] });
}
