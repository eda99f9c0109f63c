import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { Tx, ReadDb } from './db.js';
import { AppError } from './errors.js';
import { newId } from './id.js';

/** Wraps keys with a key that never enters the database: a local file, or a key service. */
export interface Keyring {
  wrap(key: Buffer): Promise<Buffer>;
  unwrap(wrapped: Buffer): Promise<Buffer>;
}

/** Encrypts data about a person with that person's own key. Erasing the key erases the data. */
export interface Sealer {
  /** `place` says where the ciphertext stands, so that it cannot be moved: `table.column/row id`. */
  seal(subjectId: string, place: string, value: unknown): Promise<string>;
}

/** Decrypts what a {@link Sealer} made, as long as the person's key exists. */
export interface Unsealer {
  /** The value, or null when the person's key was erased; throws when the value was changed or moved. */
  unseal(subjectId: string, place: string, sealed: string): Promise<unknown>;
  /** Reads the keys of many persons in one go, for lists; whoever is not in the answer was erased. */
  keysOf(subjectIds: readonly string[]): Promise<ReadonlyMap<string, Buffer>>;
}

const version = 'v1';
const ivBytes = 12;
/** Without it, Node accepts tags of four bytes, which can be guessed. */
const gcm = { authTagLength: 16 };

/** AES-256-GCM with the place as associated data: `v1.` and base64url of iv, ciphertext, tag. */
export const encrypt = (key: Buffer, place: string, value: unknown): string => {
  const iv = randomBytes(ivBytes);
  const cipher = createCipheriv('aes-256-gcm', key, iv, gcm).setAAD(Buffer.from(place));
  const body = Buffer.concat([
    iv,
    cipher.update(JSON.stringify(value), 'utf8'),
    cipher.final(),
    cipher.getAuthTag(),
  ]);
  return `${version}.${body.toString('base64url')}`;
};

/** Opens what {@link encrypt} made; throws when the text, the key or the place is another. */
export const decrypt = (key: Buffer, place: string, sealed: string): unknown => {
  const [tag, body] = sealed.split('.');
  if (tag !== version || body === undefined) throw new Error('The sealed value has an unknown form');
  const bytes = Buffer.from(body, 'base64url');
  if (bytes.length < ivBytes + gcm.authTagLength) throw new Error('The sealed value is cut off');
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, ivBytes), gcm).setAAD(
    Buffer.from(place),
  );
  decipher.setAuthTag(bytes.subarray(-16));
  const text = Buffer.concat([decipher.update(bytes.subarray(ivBytes, -16)), decipher.final()]).toString(
    'utf8',
  );
  return JSON.parse(text) as unknown;
};

/**
 * The keys of this scope and no other. Row-level security says so for the roles of workspaces; the system's role sees
 * every key, and a person has one in each workspace and one above them.
 */
const ofScope = `(workspace_id = app_workspace() or (workspace_id is null and app_workspace() is null))`;

interface KeyRow {
  readonly subject_id: string;
  readonly wrapped_key: Buffer | null;
}

const readKeys = (db: ReadDb, subjectIds: readonly string[]): Promise<KeyRow[]> =>
  db.sql<KeyRow>(
    `select subject_id, wrapped_key from subject_key where subject_id = any($1) and ${ofScope}`,
    [subjectIds],
  );

const unwrapAll = async (keyring: Keyring, rows: readonly KeyRow[]): Promise<ReadonlyMap<string, Buffer>> => {
  const pairs = await Promise.all(
    rows.map(async ({ subject_id, wrapped_key }) =>
      wrapped_key ? [[subject_id, await keyring.unwrap(wrapped_key)] as const] : [],
    ),
  );
  return new Map(pairs.flat());
};

/** A sealer in a transaction: makes the person's key at the first use. */
export const sealerIn = (tx: Tx, keyring: Keyring): Sealer => ({
  seal: async (subjectId, place, value) => {
    const key = (await keysOf(tx, keyring, [subjectId])).get(subjectId);
    if (!key) throw erased();
    return encrypt(key, place, value);
  },
});

const erased = (): AppError =>
  new AppError(
    'CONFLICT',
    'The data of this person was erased here; nothing more is recorded under this name',
    {
      rule: 'erased-subject',
    },
  );

/** The keys of many persons, before a batch is sealed; made where there are none. Refuses persons who were erased. */
export const keysOf = async (
  tx: Tx,
  keyring: Keyring,
  subjectIds: readonly string[],
): Promise<ReadonlyMap<string, Buffer>> => {
  // In one order, so that two batches with the same persons wait for each other and do not deadlock.
  const ids = [...new Set(subjectIds)].sort();
  const known = await readKeys(tx, ids);
  const seen = new Set(known.map((row) => row.subject_id));
  const unknown = ids.filter((id) => !seen.has(id));
  const rows = unknown.length === 0 ? known : [...known, ...(await makeKeys(tx, keyring, unknown))];
  if (rows.some((row) => row.wrapped_key === null)) throw erased();
  return unwrapAll(keyring, rows);
};

/** Another transaction may make the same keys at the same moment: the first one's count, for both. */
const makeKeys = async (tx: Tx, keyring: Keyring, ids: readonly string[]): Promise<KeyRow[]> => {
  const fresh = await Promise.all(ids.map(() => keyring.wrap(randomBytes(32))));
  await tx.sql(
    `insert into subject_key (id, workspace_id, subject_id, wrapped_key)
     select id, app_workspace(), subject, key from unnest($1::uuid[], $2::text[], $3::bytea[]) as fresh (id, subject, key)
     on conflict do nothing`,
    [ids.map(() => newId()), ids, fresh],
  );
  const rows = await readKeys(tx, ids);
  if (rows.length < ids.length) throw new Error('The key of a person could not be stored');
  return rows;
};

/** An unsealer over a read. */
export const unsealerOver = (db: ReadDb, keyring: Keyring): Unsealer => {
  const read = async (subjectIds: readonly string[]): Promise<ReadonlyMap<string, Buffer>> =>
    unwrapAll(keyring, await readKeys(db, [...new Set(subjectIds)]));
  return {
    keysOf: read,
    unseal: async (subjectId, place, sealed) => {
      const key = (await read([subjectId])).get(subjectId);
      return key ? decrypt(key, place, sealed) : null;
    },
  };
};
