/**
 * An audited change (a command through `run`: lock, update of a governed row, entry in the trail, commit) beside the
 * same change of a table with the same columns and the same row-level security that nobody governs, in the same scoped
 * transaction (`Db.transact`). Rounds are interleaved, on a PostgreSQL that syncs every commit to its disk.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Client } from 'pg';
import { z } from 'zod';
import { migrations } from '../migrations/index.js';
import { makeTemporaryHome, startPostgres } from '../src/embedded/postgres/index.js';
import { openAccess } from '../src/kernel/access.js';
import type { UserActor } from '../src/kernel/actor.js';
import { systemClock } from '../src/kernel/clock.js';
import { commandRunner, defineCommand } from '../src/kernel/command.js';
import { migrate, openDb, type Db } from '../src/kernel/db.js';
import { notFound } from '../src/kernel/errors.js';
import { newId } from '../src/kernel/id.js';
import { openSigner } from '../src/kernel/signer.js';
import { openKeyring } from '../src/kernel/keyring.js';
import { installationRoot } from '../src/kernel/root.js';
import { Governed } from './audit/governed.entity.js';
import { Plain } from './audit/plain.entity.js';

const { values: flags } = parseArgs({
  options: { rounds: { type: 'string', default: '7' }, seconds: { type: 'string', default: '2' } },
});
const rounds = Number(flags.rounds);
const seconds = Number(flags.seconds);
const rowCount = 2000;
const goal = 0.55;

const tables = `
create table bench_governed (id uuid primary key, workspace_id uuid not null, name text not null, revision integer not null);
select govern('bench_governed');
create table bench_plain (like bench_governed including all);
select scope_to_workspace('bench_plain');
grant select, insert, update, delete on bench_plain to app_writer;
`;

const actor: UserActor = {
  kind: 'user',
  id: newId(),
  name: 'bench',
  roles: ['owner'],
  organizationId: newId(),
  workspaceId: newId(),
  authenticatedAt: new Date(),
  sessionId: null,
  tokenId: null,
  scopes: null,
};

const input = z.object({ id: z.uuid(), name: z.string() });

const renameGoverned = defineCommand({
  name: 'bench.rename',
  describe: 'Renames a row of the benchmark.',
  permission: 'useCase:update',
  input,
  target: async (tx, { id }) => {
    const row = await tx.lock(Governed, { id });
    if (!row) throw notFound('The row');
    return row;
  },
  handle: async ({ tx, input: { name }, target }) => {
    await tx.update(Governed, { id: target.id }, { name, revision: target.revision + 1 });
    return {
      result: { id: target.id },
      audit: {
        subject: { kind: 'bench', id: target.id },
        changes: {
          name: { from: target.name, to: name },
          revision: { from: target.revision, to: target.revision + 1 },
        },
      },
    };
  },
});

/** The same change with nothing around it but the scoped transaction. */
const renamePlain = (db: Db, raw: unknown): Promise<{ id: string }> => {
  const { id, name } = input.parse(raw);
  const { workspaceId, organizationId } = actor;
  return db.transact('app_writer', { workspaceId, organizationId, commandId: null }, async (tx) => {
    const row = await tx.lock(Plain, { id });
    if (!row) throw notFound('The row');
    await tx.update(Plain, { id }, { name, revision: row.revision + 1 });
    return { id };
  });
};

type Change = (id: string) => Promise<unknown>;

interface Measured {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
}

const at = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;

const median = (numbers: readonly number[]): number =>
  at(
    [...numbers].sort((a, b) => a - b),
    0.5,
  );

/** Changes different rows, so that nobody waits for a row, `concurrency` at a time. */
const measure = async (
  change: Change,
  ids: readonly string[],
  concurrency: number,
  duration: number,
): Promise<Measured> => {
  const times: number[] = [];
  const started = performance.now();
  const end = started + duration * 1000;
  const worker = async (first: number): Promise<void> => {
    for (let index = first; performance.now() < end; index += concurrency) {
      const before = performance.now();
      await change(ids[index % ids.length] ?? '');
      times.push(performance.now() - before);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, (_, index) => worker(index)));
  const elapsed = (performance.now() - started) / 1000;
  times.sort((a, b) => a - b);
  return { perSecond: times.length / elapsed, p50: at(times, 0.5), p99: at(times, 0.99) };
};

const fill = async (url: string): Promise<string[]> => {
  const ids = Array.from({ length: rowCount }, newId);
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(tables);
    // The owner fills what only commands may change afterwards.
    await client.query(`begin; select set_config('app.workspace_id', '${actor.workspaceId ?? ''}', true)`);
    await client.query(`select audited_repair('rows of the benchmark')`);
    for (const table of ['bench_governed', 'bench_plain']) {
      await client.query(`insert into ${table} select unnest($1::uuid[]), $2, 'a row of the benchmark', 0`, [
        ids,
        actor.workspaceId,
      ]);
    }
    await client.query('commit');
  } finally {
    await client.end();
  }
  return ids;
};

/** Every audited change must have left its entry, with the hash of its bytes; or the benchmark measured nothing. */
const requireTrail = async (url: string, changes: number): Promise<void> => {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{
      events: string;
      revisions: string;
      canonical: Buffer;
      leaf_hash: Buffer;
    }>(
      `select (select count(*) from audit_event where command = 'bench.rename' and outcome = 'done') as events,
              (select sum(revision) from bench_governed) as revisions, canonical, leaf_hash
         from audit_event where command = 'bench.rename' limit 1`,
    );
    const [row] = rows;
    const counts = [Number(row?.events), Number(row?.revisions)];
    const hash = createHash('sha256')
      .update(Buffer.of(0))
      .update(row?.canonical ?? '')
      .digest();
    if (counts.some((count) => count !== changes) || !row?.leaf_hash.equals(hash))
      throw new Error(`${String(changes)} changes left ${counts.join(' entries and ')} revisions`);
  } finally {
    await client.end();
  }
};

const line = (name: string, runs: readonly Measured[]): string => {
  const rates = runs.map(({ perSecond }) => perSecond);
  const cells = [median(rates), Math.min(...rates), Math.max(...rates)].map((value) => value.toFixed(0));
  const times = [median(runs.map(({ p50 }) => p50)), median(runs.map(({ p99 }) => p99))];
  return [
    name.padEnd(28),
    ...[...cells, ...times.map((value) => value.toFixed(2))].map((cell) => cell.padStart(10)),
  ].join('');
};

interface Peers {
  readonly audited: Change;
  readonly unaudited: Change;
}

/** Interleaved, and each round begins with the other peer; the ratio is taken within a round. */
const compare = async (peers: Peers, ids: readonly string[], concurrency: number) => {
  const names = ['unaudited', 'audited'] as const;
  const runs = { audited: [] as Measured[], unaudited: [] as Measured[] };
  for (const name of names) await measure(peers[name], ids, concurrency, 1);
  for (let round = 0; round < rounds; round += 1) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      runs[name].push(await measure(peers[name], ids, concurrency, seconds));
    }
  }
  const ratios = runs.audited.map(
    ({ perSecond }, round) => perSecond / (runs.unaudited[round]?.perSecond ?? 1),
  );
  console.log(line(`unaudited, ${String(concurrency)} at a time`, runs.unaudited));
  console.log(line(`audited, ${String(concurrency)} at a time`, runs.audited));
  const ratio = { median: median(ratios), min: Math.min(...ratios), max: Math.max(...ratios) };
  console.log(
    `  audited / unaudited: ${(ratio.median * 100).toFixed(1)} % (rounds ${(ratio.min * 100).toFixed(1)} to ${(ratio.max * 100).toFixed(1)} %)`,
  );
  const rate = (measured: readonly Measured[]): number =>
    Math.round(median(measured.map(({ perSecond }) => perSecond)));
  return { concurrency, audited: rate(runs.audited), unaudited: rate(runs.unaudited), ratio };
};

const home = await makeTemporaryHome('countersign-bench-audit');
const server = await startPostgres({
  home: home.path,
  profile: 'durable',
  stopOnExit: true,
  log: () => undefined,
});
try {
  await migrate(server.url, migrations);
  const ids = await fill(server.superuserUrl);
  const db = await openDb({
    url: server.url,
    entities: [Governed, Plain],
    poolSize: { app_writer: 8, app_reader: 1, app_system: 1 },
    statementTimeoutMs: 30_000,
    name: 'bench',
    onError: (error) => {
      console.error(error);
    },
  });
  const run = commandRunner({
    db,
    access: await openAccess(join(installationRoot, 'policies')),
    clock: systemClock,
    keyring: await openKeyring(join(home.path, 'keyring.json'), { createIfMissing: true }),
    signer: await openSigner(join(home.path, 'signing-keys.json'), {
      createIfMissing: true,
      issuer: 'https://countersign.test',
    }),
    consequences: [],
    reactions: [],
    observe: () => undefined,
  });
  let changes = 0;
  const peers: Peers = {
    audited: async (id) => {
      changes += 1;
      return run(renameGoverned, actor, { id, name: `name ${String(changes)}` });
    },
    unaudited: (id) => renamePlain(db, { id, name: 'another name' }),
  };
  console.log(
    `${String(rounds)} interleaved rounds of ${String(seconds)} s each, ${String(rowCount)} rows, durable profile\n`,
  );
  console.log(
    `${''.padEnd(28)}${['per s', 'min', 'max', 'p50 ms', 'p99 ms'].map((head) => head.padStart(10)).join('')}`,
  );
  const results = [await compare(peers, ids, 8), await compare(peers, ids, 1)];
  await requireTrail(server.superuserUrl, changes);
  await db.close();
  const met = results.every(({ ratio }) => ratio.median >= goal);
  console.log(JSON.stringify({ bench: 'audit', rounds, seconds, results, goal, met }));
} finally {
  await server.stop();
  await home.remove();
}
