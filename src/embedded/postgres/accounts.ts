import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Client } from 'pg';
import type { Binaries } from './binaries.js';
import { runProgram } from '../child.js';
import { fault } from '../fault.js';
import { readIfThere, writePrivately } from '../files.js';
import type { Place } from './place.js';

/** The passwords of this home: one for the superuser, one for the role the application connects as. */
export interface Passwords {
  readonly superuser: string;
  readonly application: string;
}

const ROLE = 'countersign';
const DATABASE = 'countersign';

/** Reads the passwords of this home, or makes new ones. */
export async function loadPasswords(place: Place): Promise<Passwords> {
  return {
    superuser: await loadOrMake(place, 'password'),
    application: await loadOrMake(place, 'app-password'),
  };
}

async function loadOrMake({ own, owner }: Place, name: string): Promise<string> {
  const path = join(own, name);
  const known = await readIfThere(path);
  if (known !== undefined && known !== '') return known;
  const made = randomBytes(24).toString('base64url');
  await writePrivately(path, `${made}\n`, owner);
  return made;
}

/** Where the superuser connects, for migrations that make roles and for backups. */
export function superuserUrl(port: number, passwords: Passwords, database = DATABASE): string {
  return `postgres://postgres:${passwords.superuser}@127.0.0.1:${String(port)}/${database}`;
}

/** Where the application connects: owner of its database, may make roles and databases, is no superuser. */
export function applicationUrl(port: number, passwords: Passwords): string {
  return `postgres://${ROLE}:${passwords.application}@127.0.0.1:${String(port)}/${DATABASE}`;
}

/** Makes the role and the database of the application if they are missing; false when our password is not accepted. */
export async function prepareAccounts(port: number, passwords: Passwords): Promise<boolean> {
  const client = new Client({ connectionString: superuserUrl(port, passwords, 'postgres') });
  // A server that goes away ends the connection; the query in hand reports it.
  client.on('error', () => undefined);
  try {
    await client.connect();
  } catch (error) {
    if (isWrongPassword(error)) return false;
    throw error;
  }
  try {
    await ensureRole(client, passwords.application);
    const found = await client.query('select from pg_database where datname = $1', [DATABASE]);
    if (found.rowCount === 0) await client.query(`create database ${DATABASE} owner ${ROLE}`);
  } finally {
    await client.end();
  }
  return true;
}

async function ensureRole(client: Client, password: string): Promise<void> {
  const found = await client.query('select from pg_roles where rolname = $1', [ROLE]);
  const verb = found.rowCount === 0 ? 'create' : 'alter';
  await client.query(
    `${verb} role ${ROLE} login createrole createdb nosuperuser password ${client.escapeLiteral(password)}`,
  );
}

function isWrongPassword(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === '28P01';
}

/**
 * Gives the superuser the password of the password file, on a stopped server and without knowing the old one:
 * whoever owns the data directory owns the database. For a password file that was lost or replaced.
 */
export async function resetSuperuserPassword(
  binaries: Binaries,
  place: Place,
  password: string,
): Promise<void> {
  const statement = `alter role postgres login superuser password '${password.replaceAll("'", "''")}'\n`;
  const args = ['--single', '-j', '-D', place.data, 'postgres'];
  const { code, stderr } = await runProgram(binaries.postgres, args, {
    account: place.account,
    stdin: `${statement}\n`,
  });
  if (code !== 0)
    throw fault(`The password of the database in ${place.data} could not be set. PostgreSQL said: ${stderr}`);
}
