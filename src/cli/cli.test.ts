import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { takeLock } from '../embedded/postgres/lock.js';

const main = fileURLToPath(new URL('../main.ts', import.meta.url));
const hook = new URL('../compute/typescript-hook.mjs', import.meta.url).href;
let home = '';

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'countersign-cli-'));
});
afterAll(() => rm(home, { recursive: true, force: true }));

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs the program with an environment of its own. */
const countersign = async (
  args: readonly string[],
  environment: Record<string, string> = {},
): Promise<Ended> => {
  const child = spawn(process.execPath, ['--import', hook, main, ...args], {
    env: { COUNTERSIGN_HOME: home, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const texts = { out: '', err: '' };
  child.stdout.on('data', (chunk: Buffer) => (texts.out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (texts.err += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...texts };
};

test('help names every command, and so does a command that is none', async () => {
  const [help, other] = await Promise.all([countersign(['help']), countersign(['fly'])]);
  for (const name of ['dev', 'api', 'worker', 'migrate', 'token', 'schema', 'gate', 'keys']) {
    expect(help.out).toContain(`countersign ${name}`);
  }
  expect(help.code).toBe(0);
  expect(other).toMatchObject({
    code: 2,
    err: expect.stringContaining('There is no command fly.') as string,
  });
  expect(other.out).toContain('countersign dev');
});

test.each(['constructor', '__proto__', 'toString'])('%s is no command either', async (name) => {
  expect(await countersign([name])).toMatchObject({
    code: 2,
    err: expect.stringContaining(`There is no command ${name}.`) as string,
  });
});

test('every fault of the configuration is named in one run', async () => {
  const faulty = { PORT: '70000', DATABASE_URL: 'mysql://x', LOG_LEVEL: 'loud' };
  const { code, err } = await countersign(['dev'], faulty);
  expect(code).toBe(2);
  for (const name of Object.keys(faulty)) expect(err).toContain(`  - ${name}: `);
  expect(err).not.toContain('    at ');
});

const production = {
  COUNTERSIGN_MODE: 'production',
  DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none',
  COUNTERSIGN_URL: 'https://countersign.example.com',
  COUNTERSIGN_KEYRING: '/nowhere/keyring.json',
  COUNTERSIGN_SIGNING_KEYS: '/nowhere/signing-keys.json',
  ARTIFACTS_URL: 'file:///nowhere',
  OIDC_ISSUER: 'https://sign-in.example.com',
  OIDC_CLIENT_ID: 'countersign',
  OIDC_CLIENT_SECRET: 'secret',
};

describe('in production', () => {
  test('nothing embedded starts: a partial configuration is refused and every missing part named', async () => {
    const { code, err } = await countersign(['dev'], { NODE_ENV: 'production' });
    expect(code).toBe(2);
    for (const name of Object.keys(production).slice(1)) expect(err).toContain(name);
  });

  test('`dev` is refused with a complete configuration too', async () => {
    const { code, err } = await countersign(['dev'], production);
    expect(code).toBe(1);
    expect(err).toContain('In production run `countersign migrate`');
  });

  test('there are no development tokens', async () => {
    const { code, out, err } = await countersign(['token', 'auditor'], production);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toContain('development mode only');
  });
});

describe('the signing keys', () => {
  test('are made once, shown without their private half, and changed so that the former is still believed', async () => {
    const file = join(home, 'signing-keys.json');
    const made = await countersign(['keys', 'create', file]);
    const shown = await countersign(['keys']);
    await countersign(['keys', 'create', file]);
    const again = await countersign(['keys']);
    const rotated = await countersign(['keys', 'rotate']);
    const both = await countersign(['keys']);

    expect(made.code).toBe(0);
    expect(shown.out).toMatch(/^[0-9a-f]{64} signs\n-----BEGIN PUBLIC KEY-----/);
    expect(again.out).toBe(shown.out);
    expect(rotated.out).toContain(`${shown.out.slice(0, 64)} is still believed`);
    expect(both.out).toContain(`${shown.out.slice(0, 64)} verifies what it signed before`);
    expect(both.out.match(/ signs\n/g)).toHaveLength(1);
    for (const { out } of [made, shown, rotated, both]) expect(out).not.toContain('PRIVATE');
  });

  test('are not made by accident: what is not said is asked for', async () => {
    expect(await countersign(['keys', 'forget'])).toMatchObject({ code: 2, out: '' });
  });
});

describe('a token', () => {
  test('is for a role that people can have', async () => {
    const { code, err } = await countersign(['token', 'service']);
    expect(code).toBe(1);
    expect(err).toContain('engineer|validator|compliance|reviewer|owner|auditor|administrator');
  });

  test('is not made when nothing runs, also not after a process that was killed', async () => {
    const left = {
      pid: 2 ** 22 + 1,
      url: 'http://localhost:1',
      databaseUrl: 'postgres://x',
      environment: {},
    };
    await writeFile(join(home, 'runtime.json'), JSON.stringify(left));
    const { code, out, err } = await countersign(['token', 'auditor']);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toContain('Run `npm start` in another terminal first.');
  });
});

describe('dev', () => {
  test('says which port is taken, before it starts anything', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const address = other.address();
    const port = String(typeof address === 'object' && address ? address.port : 0);
    const { code, err } = await countersign(['dev'], { PORT: port });
    other.close();
    expect(code).toBe(1);
    expect(err.trim()).toBe(
      `Port ${port} of 127.0.0.1 is used by another program. Stop it, or set PORT to another.`,
    );
  });

  test('is refused while another one runs with the same home', async () => {
    await mkdir(home, { recursive: true });
    const lock = await takeLock({ file: join(home, 'lock'), home, log: () => undefined });
    const { code, err } = await countersign(['dev']);
    await lock.release();
    expect(code).toBe(1);
    expect(err).toContain(
      `Countersign is already running with the home ${home} (process ${String(process.pid)}`,
    );
  });
});

test('migrate starts no database of its own and says what to do', async () => {
  const { code, err } = await countersign(['migrate']);
  expect(code).toBe(1);
  expect(err).toContain('set DATABASE_URL');
});
