import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { AppError } from './errors.js';
import { createOnce, parseQuietly } from './secret-file.js';
import type { Keyring } from './sealing.js';

const key = z
  .string()
  .transform((text) => Buffer.from(text, 'base64'))
  .refine((bytes) => bytes.length === 32, 'must be 32 bytes in base64');

const fileSchema = z
  .object({ current: z.string().min(1).max(200), keys: z.record(z.string(), key) })
  .refine((file) => file.current in file.keys, {
    path: ['current'],
    error: 'names a key that is not in the file',
  });

type KeyFile = z.infer<typeof fileSchema>;

/** For whoever starts the program: it is theirs to set right, and no bug. */
const unusable = (sentence: string): AppError => new AppError('PRECONDITION_FAILED', sentence);

const create = (path: string): Promise<void> =>
  createOnce(path, { current: 'k1', keys: { k1: randomBytes(32).toString('base64') } });

/** What is wrong with the file is said without its content: it holds keys. */
const read = async (path: string): Promise<KeyFile> => {
  const parsed = fileSchema.safeParse(parseQuietly(await readFile(path, 'utf8')));
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(({ path: place, message }) =>
    `${place.join('.')} ${message}`.trim(),
  );
  throw unusable(`The keyring ${path} is not usable: ${faults.join('; ')}. Restore it from your backup.`);
};

/**
 * A keyring in a local file (mode 0600): named 256-bit keys, of which one is current. Wrapped keys name the key
 * that wrapped them, so the current one can change while old ones stay readable.
 */
export const openKeyring = async (path: string, options: { createIfMissing: boolean }): Promise<Keyring> => {
  if (!existsSync(path)) {
    if (!options.createIfMissing)
      throw unusable(`The keyring ${path} does not exist; create it or set COUNTERSIGN_KEYRING`);
    await create(path);
  }
  const file = await read(path);
  return {
    wrap: async (key) => wrap(file, key),
    unwrap: async (wrapped) => unwrap(file, wrapped),
  };
};

const gcm = { authTagLength: 16 };

const wrap = (file: KeyFile, key: Buffer): Buffer => {
  const master = masterKey(file, file.current);
  const iv = randomBytes(12);
  const name = Buffer.from(file.current);
  const cipher = createCipheriv('aes-256-gcm', master, iv, gcm).setAAD(name);
  return Buffer.concat([
    Buffer.of(name.length),
    name,
    iv,
    cipher.update(key),
    cipher.final(),
    cipher.getAuthTag(),
  ]);
};

const unwrap = (file: KeyFile, wrapped: Buffer): Buffer => {
  const nameEnd = 1 + wrapped.readUInt8(0);
  const name = wrapped.subarray(1, nameEnd);
  const iv = wrapped.subarray(nameEnd, nameEnd + 12);
  const decipher = createDecipheriv('aes-256-gcm', masterKey(file, name.toString()), iv, gcm).setAAD(name);
  decipher.setAuthTag(wrapped.subarray(-16));
  return Buffer.concat([decipher.update(wrapped.subarray(nameEnd + 12, -16)), decipher.final()]);
};

const masterKey = (file: KeyFile, name: string): Buffer => {
  const key = file.keys[name];
  if (!key) throw new Error(`The keyring has no key named ${name}; restore the keyring file that was in use`);
  return key;
};
