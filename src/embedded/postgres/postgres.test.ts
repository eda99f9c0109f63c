import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  chmod,
  cp,
  lstat,
  mkdir,
  readdir,
  readFile,
  rm,
  stat,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { build } from 'esbuild';
import { Client } from 'pg';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { findPackage } from './binaries.js';
import { makeTemporaryHome, startPostgres, type EmbeddedPostgres, type PostgresOptions } from './index.js';
import { openLogFile } from './log-file.js';
import { pidWorld, processStart } from './process-identity.js';

const weAreRoot = process.getuid?.() === 0;
const nobody: { uid?: number; gid?: number } = weAreRoot ? { uid: 65534, gid: 65534 } : {};
const packageFolder = findPackage(process.platform, process.arch);

let home = '';
let postgresFolder = '';
let program = '';

// One data directory for all: making one takes most of the time of a start.
beforeAll(async () => {
  const made = await makeTemporaryHome('countersign-postgres');
  home = made.path;
  postgresFolder = join(home, 'postgres');
  program = join(home, 'other-process.mjs');
  await bundleOtherProcess(program);
  return made.remove;
});

const said: string[] = [];
const log = (message: string): void => void said.push(message);

async function start(more: Partial<PostgresOptions> = {}): Promise<EmbeddedPostgres> {
  const postgres = await startPostgres({ home, log, profile: 'test', ...more });
  onTestFinished(() => postgres.stop());
  return postgres;
}

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    const { rows } = await client.query<Record<string, unknown>>(text);
    return rows.map((row) => Object.values(row)[0]);
  } finally {
    await client.end();
  }
}

interface OtherProcess {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly port: number;
  readonly url: string;
  readonly refusal: string;
}

/** Starts PostgreSQL from a process of its own, which can be killed. */
async function otherProcess(
  where: string,
  account: typeof nobody = {},
  onExit = 'leave',
): Promise<OtherProcess> {
  const child = spawn(process.execPath, [program, where, packageFolder, onExit], {
    stdio: ['pipe', 'pipe', 'inherit'],
    cwd: '/',
    ...account,
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const chunks: string[] = [];
  for await (const chunk of child.stdout) {
    chunks.push(String(chunk));
    if (chunks.join('').includes('\n')) break;
  }
  const answer: Omit<OtherProcess, 'child'> = JSON.parse(chunks.join(''));
  return { child, ...answer };
}

async function bundleOtherProcess(outfile: string): Promise<void> {
  const contents = `
    import { startPostgres } from './index.js';
    const [home, packageFolder, stopOnExit] = process.argv.slice(2);
    const say = (answer) => console.log(JSON.stringify({ pid: 0, port: 0, url: '', refusal: '', ...answer }));
    try {
      const postgres = await startPostgres({ home, packageFolder, stopOnExit: stopOnExit === 'stop', log: () => undefined });
      say({ pid: postgres.pid, port: postgres.port, url: postgres.url });
      process.stdin.resume().on('end', () => postgres.stop());
    } catch (error) {
      say({ refusal: error.message });
    }`;
  await build({
    stdin: { contents, resolveDir: import.meta.dirname, loader: 'ts' },
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    external: ['pg-native'],
    banner: {
      js: "import { createRequire as make } from 'node:module'; const require = make(import.meta.url);",
    },
    logLevel: 'warning',
  });
  await chmod(outfile, 0o644);
}

async function kill({ child, refusal }: OtherProcess): Promise<void> {
  expect(refusal).toBe('');
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

async function becomes<T>(wanted: T, look: () => T | Promise<T>): Promise<void> {
  for (let tries = 0; tries < 500 && (await look()) !== wanted; tries++) await sleep(20);
  expect(await look()).toBe(wanted);
}

describe('a start', () => {
  test('creates a database once, keeps its data and its port, and lets the application in as an ordinary role', async () => {
    const first = await start();
    expect(first.firstStart).toBe(true);
    await query(first.url, 'create table kept as select 42 as answer');
    expect(await query(first.url, 'select rolsuper from pg_roles where rolname = current_user')).toEqual([
      false,
    ]);
    expect(
      await query(first.superuserUrl, 'select rolsuper from pg_roles where rolname = current_user'),
    ).toEqual([true]);
    await first.stop();
    await first.stop();
    expect(await processStart(first.pid)).toBeUndefined();

    const second = await start();
    expect(second.firstStart).toBe(false);
    expect(second.port).toBe(first.port);
    expect(second.url).toBe(first.url);
    expect(await query(second.url, 'select answer from kept')).toEqual([42]);
  });

  test('keeps people’s data safe by default: flushed to disk, checksums, passwords, loopback only', async () => {
    const { superuserUrl } = await start({ profile: 'durable' });
    const shown = await query(
      superuserUrl,
      `select name || '=' || setting from pg_settings where name in ('fsync', 'full_page_writes', 'synchronous_commit',
        'data_checksums', 'listen_addresses', 'unix_socket_directories', 'max_connections', 'server_encoding') order by name`,
    );
    expect(shown).toEqual([
      'data_checksums=on',
      'fsync=on',
      'full_page_writes=on',
      'listen_addresses=127.0.0.1',
      'max_connections=200',
      'server_encoding=UTF8',
      'synchronous_commit=on',
      'unix_socket_directories=',
    ]);
    expect(await query(superuserUrl, `select distinct auth_method from pg_hba_file_rules`)).toEqual([
      'scram-sha-256',
    ]);
    for (const name of ['password', 'app-password', 'lock']) {
      expect((await stat(join(postgresFolder, name))).mode & 0o777).toBe(0o600);
    }
    await expect(query(superuserUrl.replace(/:[^:@]+@/, ':wrong@'), 'select 1')).rejects.toThrow(
      /password authentication failed/,
    );
  });

  test('moves to another port when the remembered one is taken, and comes back to it never doubled', async () => {
    const before = Number(await readFile(join(postgresFolder, 'port'), 'utf8'));
    const squatter = createServer().listen(before, '127.0.0.1');
    await once(squatter, 'listening');
    onTestFinished(() => void squatter.close());
    const { port, url } = await start();
    expect(port).not.toBe(before);
    expect(await query(url, 'select answer from kept')).toEqual([42]);
  });

  test('sets a new password when the password file was lost', async () => {
    await rm(join(postgresFolder, 'password'));
    const { superuserUrl } = await start();
    expect(await query(superuserUrl, 'select answer from kept')).toEqual([42]);
    expect(said.join('\n')).toContain('is not the one of the database');
  });

  test('removes what a killed creation of a database left, and does not touch files that are not a database', async () => {
    const other = await makeTemporaryHome();
    onTestFinished(other.remove);
    const own = join(other.path, 'postgres');
    await mkdir(join(own, 'data.new-1234'), { recursive: true });
    await mkdir(join(own, 'data'));
    await writeFile(join(own, 'data', 'holiday.jpg'), 'sun');
    await expect(start({ home: other.path })).rejects.toThrow(
      /is not a PostgreSQL data directory.*Move it away/,
    );
    expect(await readdir(join(own, 'data'))).toEqual(['holiday.jpg']);
    expect(await readdir(own)).not.toContain('data.new-1234');
    expect(await readdir(own)).not.toContain('lock');
  });
});

describe('a kill', () => {
  test('of the server is repaired on the same port, even while a session was computing', async () => {
    const postgres = await start({ profile: 'durable' });
    const killed = postgres.pid;
    await query(postgres.url, 'insert into kept values (43)');
    const busy = query(postgres.url, 'select count(*) from generate_series(1, 100000000000)').catch(
      (error: unknown) => error,
    );
    const computing = `select count(*)::int from pg_stat_activity where query like '%100000000000%' and state = 'active' and pid <> pg_backend_pid()`;
    await becomes(1, async () => Number((await query(postgres.superuserUrl, computing))[0]));
    process.kill(killed, 'SIGKILL');

    expect(await busy).toBeInstanceOf(Error);
    await becomes(true, () => postgres.pid !== killed);
    expect(await query(postgres.url, 'select answer from kept order by 1')).toEqual([42, 43]);
  });

  test('of Countersign alone leaves a server that the next start replaces', async () => {
    const other = await otherProcess(home);
    const { pid, port } = other;
    await kill(other);
    expect(await processStart(pid)).toBeDefined();

    const next = await start({ profile: 'durable' });
    expect(await processStart(pid)).toBeUndefined();
    expect(next.port).toBe(port);
    expect(await query(next.url, 'select count(*)::int from kept')).toEqual([2]);
  });

  test('of a process that wanted it so ends its server too', async () => {
    const other = await otherProcess(home, {}, 'stop');
    await kill(other);
    await becomes(undefined, () => processStart(other.pid));
  });

  test('of Countersign and its server loses nothing that was committed', async () => {
    const other = await otherProcess(home);
    await query(other.url, 'insert into kept values (44)');
    await kill(other);
    process.kill(other.pid, 'SIGKILL');

    const next = await start({ profile: 'durable' });
    expect(await query(next.url, 'select count(*)::int from kept')).toEqual([3]);
  });

  test('does not confuse a later owner of the process id with the server', async () => {
    const pidFile = join(postgresFolder, 'data', 'postmaster.pid');
    const other = await otherProcess(home);
    const left = await readFile(pidFile, 'utf8');
    await kill(other);
    process.kill(other.pid, 'SIGKILL');
    await becomes(undefined, () => processStart(other.pid));
    const stranger = spawn('sleep', ['60'], nobody);
    onTestFinished(() => void stranger.kill());
    await writeFile(pidFile, left.replace(/^\d+/, String(stranger.pid)));

    const next = await start({ profile: 'durable' });
    expect(await query(next.url, 'select count(*)::int from kept')).toEqual([3]);
    expect(stranger.exitCode).toBeNull();
    expect(stranger.signalCode).toBeNull();
  });
});

describe('a second start', () => {
  test('is refused and names the process that has the home, from another process and from the same', async () => {
    const postgres = await start();
    const { refusal } = await otherProcess(home);
    expect(refusal).toContain(`already running with the home ${home} (process ${String(process.pid)}`);
    await expect(startPostgres({ home, log, profile: 'test' })).rejects.toThrow(
      /COUNTERSIGN_HOME to another folder/,
    );
    expect(await query(postgres.url, 'select 1')).toEqual([1]);
  });

  test.each([
    ['of a process that is gone', async () => holder({ pid: 4_194_303, start: '1' })],
    ['of a process id that somebody else has now', async () => holder({ pid: process.pid, start: '1' })],
    ['that was never written to its end', () => Promise.resolve('{"pid": 1')],
    ['of a container that has fallen silent', async () => holder({ pid: process.pid, world: 'elsewhere' })],
  ])('is not hindered by a lock %s', async (_, content) => {
    const file = join(postgresFolder, 'lock');
    await writeFile(file, await content());
    await utimes(file, new Date(0), new Date(0));
    const postgres = await start();
    expect(await query(postgres.url, 'select 1')).toEqual([1]);
  });

  test('is refused while another container holds the home', async () => {
    const file = join(postgresFolder, 'lock');
    await writeFile(file, await holder({ pid: process.pid, world: 'elsewhere' }));
    onTestFinished(() => rm(file));
    const beat = setInterval(() => void utimes(file, new Date(), new Date()), 100);
    onTestFinished(() => {
      clearInterval(beat);
    });
    await expect(startPostgres({ home, log, profile: 'test' })).rejects.toThrow(/already running/);
  });
});

async function holder(more: { pid: number; start?: string; world?: string }): Promise<string> {
  const ours = {
    start: (await processStart(process.pid)) ?? '',
    world: await pidWorld(),
    since: '2026-01-01T00:00:00Z',
  };
  return JSON.stringify({ ...ours, ...more });
}

describe('a refusal', () => {
  test('meets data of another major version, changes nothing, and says what to do', async () => {
    const file = join(postgresFolder, 'data', 'PG_VERSION');
    await writeFile(file, '17\n');
    onTestFinished(() => writeFile(file, '18\n'));
    await expect(start()).rejects.toThrow(
      /written by PostgreSQL 17; this Countersign brings PostgreSQL 18.*DATABASE_URL/,
    );
    expect(await readdir(postgresFolder)).not.toContain('lock');
  });

  test('meets a platform without programs, and names DATABASE_URL', () => {
    expect(() => findPackage('freebsd', 'x64')).toThrow(
      /no bundled PostgreSQL for freebsd-x64.*linux-x64.*DATABASE_URL/,
    );
  });
});

describe('the account', () => {
  test.runIf(weAreRoot)('is not root; closed folders are gone around, and the log says so', async () => {
    const room = await makeTemporaryHome();
    onTestFinished(room.remove);
    const closed = join(room.path, 'closed');
    await mkdir(closed, { mode: 0o700 });
    const packed = join(closed, 'package');
    await cp(packageFolder, packed, { recursive: true, verbatimSymlinks: true });
    const options = { home: join(closed, 'home'), fallback: join(room.path, 'open'), packageFolder: packed };
    await removeLinks(join(packed, 'native', 'lib'));

    const first = await start(options);
    expect((await stat(`/proc/${String(first.pid)}`)).uid).not.toBe(0);
    const [directory] = await query(first.superuserUrl, 'show data_directory');
    expect(directory).toContain(options.fallback);
    expect(said.join('\n')).toContain(`Its data is kept in ${options.fallback}`);
    await first.stop();

    const second = await start(options);
    expect(second.firstStart).toBe(false);
    expect(await query(second.superuserUrl, 'show data_directory')).toEqual([directory]);
  });

  test.runIf(weAreRoot)('of a normal user works without root', async () => {
    const room = await makeTemporaryHome();
    onTestFinished(room.remove);
    const theirs = join(room.path, 'theirs');
    await mkdir(theirs);
    await chmod(theirs, 0o777);
    const { child, url, refusal } = await otherProcess(join(theirs, 'home'), nobody);
    expect(refusal).toBe('');
    expect(await query(url, 'select current_user')).toEqual(['countersign']);
    const ended = once(child, 'exit');
    child.stdin?.end();
    await ended;
    expect(child.exitCode).toBe(0);
  });
});

async function removeLinks(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if ((await lstat(join(folder, name))).isSymbolicLink()) await rm(join(folder, name));
  }
}

test('the log of the server stays short', async () => {
  const room = await makeTemporaryHome();
  onTestFinished(room.remove);
  const path = join(room.path, 'log', 'postgres.log');
  (await openLogFile(room.path, undefined)).close();
  await truncate(path, 9_000_000);
  const file = await openLogFile(room.path, undefined);
  onTestFinished(file.close);
  expect((await stat(path)).size).toBe(0);
  expect((await stat(`${path}.1`)).size).toBe(9_000_000);
});
