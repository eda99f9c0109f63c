import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
  type KeyObject,
} from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { createOnce, parseQuietly } from './secret-file.js';

/** A public key as strangers get it. */
export interface PublishedKey {
  /** sha256 over the key's DER form (SubjectPublicKeyInfo), in hexadecimal. */
  readonly keyId: string;
  readonly pem: string;
  /** Whether new documents are signed with it; the others are there for what was signed before. */
  readonly signs: boolean;
}

/** Signs documents that leave the house. The private key stays in this process: it is in no row and in no log. */
export interface Signer {
  /** Who signs: the public address of the installation. */
  readonly issuer: string;
  readonly keyId: string;
  readonly publishedKeys: readonly PublishedKey[];
  sign(bytes: Uint8Array): Promise<Buffer>;
}

const der = z
  .string()
  .regex(/^[A-Za-z0-9+/]+=*$/, 'must be base64')
  .transform((text) => Buffer.from(text, 'base64'));

const fileSchema = z
  .object({
    current: z.string(),
    keys: z.record(z.string(), z.object({ publicKey: der, privateKey: der.optional() })),
  })
  .refine((file) => file.keys[file.current]?.privateKey !== undefined, {
    path: ['current'],
    error: 'names no private key of the file',
  });

type KeyFile = z.input<typeof fileSchema>;

/** The name of a public key. */
export const keyIdOf = (key: KeyObject): string =>
  createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('hex');

const pemOf = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }).toString();

const newKey = (): { id: string; entry: KeyFile['keys'][string] } => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const entry = {
    publicKey: publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
    privateKey: privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64'),
  };
  return { id: keyIdOf(publicKey), entry };
};

/** Makes a file with one new signing key, unless there is one already. */
export const createSigningKeys = async (path: string): Promise<void> => {
  const { id, entry } = newKey();
  await createOnce(path, { current: id, keys: { [id]: entry } });
};

const unusable = (path: string, fault: string): Error =>
  new Error(`The signing keys ${path} are not usable: ${fault}. Restore the file from your backup.`);

const ed25519 = (make: () => KeyObject): KeyObject | null => {
  try {
    const key = make();
    return key.asymmetricKeyType === 'ed25519' ? key : null;
  } catch {
    return null;
  }
};

const read = async (path: string): Promise<z.output<typeof fileSchema>> => {
  const parsed = fileSchema.safeParse(parseQuietly(await readFile(path, 'utf8')));
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`.trim());
  throw unusable(path, faults.join('; '));
};

const publicKeyOf = (path: string, id: string, bytes: Buffer): KeyObject => {
  const key = ed25519(() => createPublicKey({ key: bytes, format: 'der', type: 'spki' }));
  if (!key) throw unusable(path, `${id} is no Ed25519 key`);
  if (keyIdOf(key) !== id) throw unusable(path, `${id} is not the sha256 of its public key`);
  return key;
};

const privateKeyOf = (path: string, id: string, bytes: Buffer | undefined): KeyObject => {
  const key = ed25519(() =>
    createPrivateKey({ key: bytes ?? Buffer.alloc(0), format: 'der', type: 'pkcs8' }),
  );
  if (!key || keyIdOf(createPublicKey(key)) !== id)
    throw unusable(path, `the private key of ${id} is another one`);
  return key;
};

/**
 * A signer over a local file (mode 0600): named Ed25519 keys, of which one signs. What an older one signed is still
 * believed as long as its public half stays in the file.
 */
export const openSigner = async (
  path: string,
  options: { createIfMissing: boolean; issuer: string },
): Promise<Signer> => {
  if (!existsSync(path)) {
    if (!options.createIfMissing) {
      throw new Error(
        `The signing keys ${path} do not exist; make them with \`countersign keys create ${path}\` or set COUNTERSIGN_SIGNING_KEYS`,
      );
    }
    await createSigningKeys(path);
  }
  const file = await read(path);
  const { current } = file;
  const publishedKeys = Object.entries(file.keys).map(([keyId, { publicKey }]) => ({
    keyId,
    pem: pemOf(publicKeyOf(path, keyId, publicKey)),
    signs: keyId === current,
  }));
  const key = privateKeyOf(path, current, file.keys[current]?.privateKey);
  return {
    issuer: options.issuer,
    keyId: current,
    publishedKeys,
    sign: async (bytes) => sign(null, bytes, key),
  };
};

/**
 * Has a new key sign from the next start of each process on. Of the former one the public half stays, so that what it
 * signed is still believed; to stop believing it, take its entry out of the file.
 */
export const rotateSigningKeys = async (path: string): Promise<{ former: string; current: string }> => {
  const { current: former, keys } = await read(path);
  const { id, entry } = newKey();
  const kept = Object.entries(keys).map(
    ([name, { publicKey }]) => [name, { publicKey: publicKey.toString('base64') }] as const,
  );
  const next = `${path}.next`;
  const content: KeyFile = { current: id, keys: { ...Object.fromEntries(kept), [id]: entry } };
  await writeFile(next, JSON.stringify(content), { mode: 0o600, flush: true });
  await rename(next, path);
  return { former, current: id };
};
