import { randomUUID } from 'node:crypto';
import type { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sqlState, type DbRole } from '../../kernel/db.js';
import { machineryTables } from '../../kernel/system.js';
import { testApp, type TestApp } from '../test-app.js';
import { connect, fingerprint, insertOf, populate, tablesOf, type Table } from './database-shape.js';

/** Rows by the million, added and never changed; everything else that belongs to a workspace is governed. */
const telemetry = [
  'agent_step',
  'decision',
  'decision_seal',
  'logged_model_metric',
  'run_dataset',
  'run_metric',
  'run_metric_latest',
  'run_model',
  'run_param',
  'run_tag',
  'training_run',
];
/** A decision is told how far it is until its run is sealed; a run of training, its newest values and its tags go on. */
const changingTelemetry = [
  ...[
    'action',
    'decided_by',
    'failure',
    'finished_at',
    'policy_digest',
    'probability',
    'reasons',
    'run_hash',
    'state',
    'version_digest',
    'version_id',
  ].map((column) => `decision.${column}`),
  ...['at_ms', 'step', 'value'].map((column) => `run_metric_latest.${column}`),
  'run_tag.value',
  ...['deleted_at', 'ended_at', 'name', 'state'].map((column) => `training_run.${column}`),
];
/** What machines say by the minute: added, never changed, and the oldest taken away, so that it stays short. */
const keptShort = ['deployment_report'];
const trail = ['audit_event'];
const tools = ['schema_migration'];
/** What stands above workspaces. */
const aboveWorkspaces = ['app_user', 'organization', 'workspace'];

let app: TestApp;
let client: Client;
let tables: Table[];
let elsewhere: string;
let digestBefore: Record<string, string>;
const mine = randomUUID();
const theirs = randomUUID();

beforeAll(async () => {
  app = await testApp();
  client = await connect(app.databaseUrl);
  tables = await tablesOf(client);
  elsewhere = await app.otherWorkspace();
  await app.actor('engineer');
  await populate(client, tables, { workspaceId: app.workspaceId, id: mine, text: 'mine' });
  await populate(client, tables, { workspaceId: elsewhere, id: theirs, text: 'theirs' });
  digestBefore = await fingerprint(client, tables, elsewhere);
});
afterAll(() => client.end());

const governed = (): Table[] => tables.filter(({ triggers }) => triggers.includes('audited'));
const scoped = (): Table[] => tables.filter(({ hasWorkspace }) => hasWorkspace);

test('every table is governed, telemetry or machinery, by a closed list', () => {
  const listed = new Set([...telemetry, ...keptShort, ...trail, ...tools, ...machineryTables]);
  const unknown = tables.filter((table) => !governed().includes(table) && !listed.has(table.name));
  expect(unknown.map(({ name }) => name)).toEqual([]);
  const names = new Set(tables.map(({ name }) => name));
  expect([...listed].filter((name) => !names.has(name))).toEqual([]);
});

test('every table has a primary key, and row-level security that not even its owner passes', () => {
  const bare = tables.filter(({ keys, name }) => keys.length === 0 && !tools.includes(name));
  expect(bare.map(({ name }) => name)).toEqual([]);
  const open = tables.filter(({ secured, name }) => !secured && !tools.includes(name));
  expect(open.map(({ name }) => name)).toEqual([]);
});

test('every row belongs to a workspace, except what stands above workspaces and machinery', () => {
  const free = new Set<string>([...aboveWorkspaces, ...machineryTables, ...trail, ...tools]);
  const loose = tables.filter(({ workspaceRequired, name }) => !workspaceRequired && !free.has(name));
  expect(loose.map(({ name }) => name)).toEqual([]);
});

test('telemetry is added and never taken away; only how far a decision is may still change', async () => {
  for (const table of tables.filter(({ name }) => telemetry.includes(name))) {
    expect([table.name, table.rights['app_writer']?.replace('u', '')]).toEqual([table.name, 'si']);
    expect([table.name, table.rights['app_reader']]).toEqual([table.name, 's']);
  }
  const { rows } = await client.query<{ place: string }>(
    `select table_name || '.' || column_name as place from information_schema.column_privileges
      where grantee = 'app_writer' and privilege_type = 'UPDATE' and table_name = any($1) order by 1`,
    [telemetry],
  );
  expect(rows.map(({ place }) => place)).toEqual(changingTelemetry);
});

test('what is kept short is added and taken away, never changed', () => {
  for (const table of tables.filter(({ name }) => keptShort.includes(name))) {
    expect([table.name, table.rights['app_writer']]).toEqual([table.name, 'sid']);
    expect([table.name, table.rights['app_reader']]).toEqual([table.name, 's']);
  }
});

test('readers may only read, and nobody may truncate', () => {
  for (const { name, rights } of tables) {
    expect([name, rights['app_reader']?.replace('s', '')]).toEqual([name, '']);
    expect([name, Object.values(rights).some((right) => right.includes('t'))]).toEqual([name, false]);
    expect([name, rights['app_queue']]).toEqual([name, '']);
  }
});

/** Tries a statement in a workspace and takes it back; the rows, or why it was refused. */
const attempt = async (
  role: DbRole,
  workspaceId: string | null,
  text: string,
  values: readonly unknown[] = [],
): Promise<{ rows: object[] } | { refused: string }> => {
  const session = { workspaceId, organizationId: app.organizationId, commandId: randomUUID() };
  const undo = new Error('undo');
  let rows: object[] = [];
  try {
    await app.db.transact(role, session, async (tx) => {
      rows = await tx.sql(text, values);
      throw undo;
    });
  } catch (error) {
    if (error !== undo) return { refused: sqlState(error) ?? String(error) };
  }
  return { rows };
};

const nothing = [{ rows: [] }, { refused: '42501' }];
// A reader's transaction is read-only, which PostgreSQL says before it looks at rights.
const refusals = [{ refused: '42501' }, { refused: '25006' }];

describe.each(['app_writer', 'app_reader'] as const)('in one workspace, %s', (role) => {
  test('sees the rows of its own and no others', async () => {
    for (const { name, rights } of scoped()) {
      const seen = await attempt(role, app.workspaceId, `select workspace_id from "${name}"`);
      if (rights[role]?.includes('s') !== true) {
        expect([name, seen]).toEqual([name, { refused: '42501' }]);
        continue;
      }
      const workspaces = new Set(
        'rows' in seen ? seen.rows.map((row): unknown => Object.values(row)[0]) : [],
      );
      expect([name, [...workspaces]]).toEqual([name, [app.workspaceId]]);
    }
  });

  test('sees nothing at all without a workspace', async () => {
    for (const { name } of scoped()) {
      const seen = await attempt(role, null, `select 1 from "${name}" where workspace_id is not null`);
      expect(nothing, name).toContainEqual(seen);
    }
  });

  test('puts no row into another', async () => {
    for (const table of scoped()) {
      const { text, values } = insertOf(table, { workspaceId: elsewhere, id: randomUUID(), text: 'new' });
      expect(refusals, table.name).toContainEqual(await attempt(role, app.workspaceId, text, values));
    }
  });

  test('changes and removes no row of another', async () => {
    for (const { name, keys } of scoped()) {
      const [key = ''] = keys;
      for (const text of [
        `update "${name}" set "${key}" = "${key}" where workspace_id = $1 returning 1`,
        `delete from "${name}" where workspace_id = $1 returning 1`,
      ]) {
        const tried = await attempt(role, app.workspaceId, text, [elsewhere]);
        expect([...nothing, ...refusals], `${name}: ${text}`).toContainEqual(tried);
      }
    }
  });

  test('moves no row of its own into another', async () => {
    for (const { name } of scoped()) {
      const text = `update "${name}" set workspace_id = $1 returning 1`;
      expect(refusals, name).toContainEqual(await attempt(role, app.workspaceId, text, [elsewhere]));
    }
  });
});

test('after all attempts the rows of the other workspace are as they were', async () => {
  expect(await fingerprint(client, tables, elsewhere)).toEqual(digestBefore);
  expect(Object.values(digestBefore)).not.toContain('none');
});

test('one organization sees nothing of another', async () => {
  const organization = randomUUID();
  const session = { workspaceId: null, organizationId: organization, commandId: null };
  for (const name of aboveWorkspaces) {
    const rows = await app.db.transact('app_reader', session, (tx) => tx.sql(`select id from "${name}"`));
    expect([name, rows]).toEqual([name, []]);
  }
  for (const name of ['session', 'sign_in']) {
    expect(await attempt('app_reader', app.workspaceId, `select 1 from ${name}`)).toEqual({
      refused: '42501',
    });
    expect(await attempt('app_writer', app.workspaceId, `select 1 from ${name}`)).toEqual({
      refused: '42501',
    });
  }
});

describe('the trail', () => {
  const rewritings = [
    `update audit_event set command = 'x'`,
    'delete from audit_event',
    'truncate audit_event',
    'truncate audit_event cascade',
  ];

  test.each(rewritings)('refuses to every role: %s', async (text) => {
    for (const role of ['app_writer', 'app_reader', 'app_system'] as const) {
      expect(refusals, role).toContainEqual(await attempt(role, app.workspaceId, text));
    }
  });

  test.each(rewritings)('refuses to its owner and in a restored session: %s', async (text) => {
    for (const replication of ['origin', 'replica']) {
      await client.query(`set session_replication_role = ${replication}`);
      await expect(client.query(text)).rejects.toMatchObject({ code: '42501' });
    }
    await client.query('set session_replication_role = origin');
  });
});

test('a governed table refuses every change outside of an audited command', async () => {
  expect(governed().length).toBeGreaterThan(20);
  const loose: string[] = [];
  for (const { name, keys } of governed()) {
    const [key = ''] = keys;
    await client.query('begin');
    await client.query(`select set_config('app.command_id', $1, true)`, [randomUUID()]);
    const { rowCount } = await client.query(
      `update "${name}" set "${key}" = "${key}" where ctid in (select ctid from "${name}" limit 1)`,
    );
    expect([name, rowCount]).toEqual([name, 1]);
    const code = await client.query('commit').then(
      () => 'committed',
      (error: unknown) => sqlState(error),
    );
    await client.query('rollback');
    if (code !== '23514') loose.push(`${name}: ${String(code)}`);
  }
  expect(loose).toEqual([]);
});

test('the id of an earlier command opens no governed table', async () => {
  const { rows } = await client.query<{ id: string }>(
    `select command_id as id from audit_event where outcome = 'done' limit 1`,
  );
  await client.query('begin');
  await client.query(`select set_config('app.command_id', $1, true)`, [rows[0]?.id]);
  const changed = await client.query('update registered_model set name = name');
  expect(changed.rowCount).toBeGreaterThan(0);

  await expect(client.query('commit')).rejects.toMatchObject({ code: '23514' });
});

test('nothing that is governed or recorded is truncated, not even by a superuser', async () => {
  const { rows } = await client.query<{ name: string }>(
    `select c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname = 'public' and c.relkind = 'r'
        and exists (select from pg_trigger t where t.tgrelid = c.oid and t.tgname in ('audited', 'no_truncate'))`,
  );
  expect(rows.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['decision', 'approval', 'subject_key', 'member']),
  );
  for (const { name } of rows) {
    await expect(client.query(`truncate "${name}" cascade`), name).rejects.toMatchObject({ code: '42501' });
  }
});

test('the lock of governed tables looks at every insert, update and delete', async () => {
  const { rows } = await client.query<{ name: string; kinds: number; enabled: string; deferred: boolean }>(
    `select tgrelid::regclass::text as name, tgtype::int as kinds, tgenabled as enabled, tginitdeferred as deferred
       from pg_trigger where tgname = 'audited'`,
  );
  const row = 1;
  const [insert, remove, update] = [4, 8, 16];
  for (const { name, kinds, enabled, deferred } of rows.filter((found) => found.name !== 'subject_key')) {
    expect([name, kinds, enabled, deferred]).toEqual([name, row + insert + remove + update, 'O', true]);
  }
});
