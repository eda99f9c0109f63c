import { execFile, spawn } from 'node:child_process';
import { promisify } from 'node:util';
import { join } from 'node:path';
import { once } from 'node:events';
import { beforeAll, describe, expect, test } from 'vitest';
import { openMlflowServer } from '../../integrations/mlflow-server.js';
import { openTestDoor } from '../../testing/http-door.js';
import { pythonWithMlflow, startClient, type MlflowClient } from '../../testing/mlflow-client.js';
import { installationRoot } from '../../kernel/root.js';
import { startMlflowServer, type MlflowServerProcess } from '../../testing/mlflow-server.js';
import { testApp, type TestApp } from '../../testing/test-app.js';
import { startMlflowImport } from './mlflow.commands/start-import.js';

const found = pythonWithMlflow();
const missing = 'missing' in found ? found.missing : null;
const python = 'python' in found ? found.python : '';

/** The built product: what people run. */
const main = join(installationRoot, 'dist', 'main.js');

let app: TestApp;
let there: MlflowServerProcess;
let client: MlflowClient;
let token = '';

const rows = <Row extends object>(text: string, values: unknown[] = []): Promise<Row[]> => {
  const session = { workspaceId: app.workspaceId, organizationId: app.organizationId, commandId: null };
  return app.db.transact('app_reader', session, (db) => db.sql<Row>(text, values));
};

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** The command line; it is killed at once when it says what is given. */
const importByCommand = async (killAt?: string): Promise<Ended> => {
  const child = spawn(process.execPath, [main, 'import', 'mlflow', '--from', there.url], {
    env: {
      COUNTERSIGN_HOME: app.folder,
      DATABASE_URL: app.databaseUrl,
      COUNTERSIGN_TOKEN: token,
      LOG_LEVEL: 'silent',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const texts = { out: '', err: '' };
  child.stdout.on('data', (chunk: Buffer) => (texts.out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => {
    texts.err += chunk.toString();
    if (killAt !== undefined && texts.err.includes(killAt)) child.kill('SIGKILL');
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...texts };
};

const importByJob = async (): Promise<{ id: string; counts: Record<string, number>; state: string }> => {
  const { id } = await app.run(startMlflowImport, await app.actor('administrator'), {});
  await app.drainJobs();
  const [row] = await rows<{ id: string; counts: Record<string, number>; state: string }>(
    'select id, counts, state from mlflow_import where id = $1',
    [id],
  );
  if (!row) throw new Error('There is no import');
  return row;
};

const itemsOf = (importId: string, kind: string) =>
  rows<{ name: string; outcome: string; reason: string }>(
    'select name, outcome, reason from mlflow_import_item where import_id = $1 and kind = $2 order by name',
    [importId, kind],
  );

interface Stored {
  readonly name: string;
  readonly version: number;
  readonly digest: string;
  readonly files: number;
  readonly state: string;
}

const stored = (): Promise<Stored[]> =>
  rows<Stored>(
    `select m.name, v.version, v.digest, v.state, (select count(*)::int from artifact a where a.version_id = v.id) as files
       from model_version v join registered_model m on m.id = v.model_id order by m.name, v.version`,
  );

describe.skipIf(missing !== null)(
  `import from a real mlflow server${missing === null ? '' : ` (skipped: ${missing})`}`,
  () => {
    beforeAll(async () => {
      await promisify(execFile)(process.execPath, [join(installationRoot, 'scripts', 'build.mjs')]);
      there = await startMlflowServer(python);
      const source = openMlflowServer({ url: there.url, token: null });
      app = await testApp({ modelServers: { front: null, source } });
      await app.actor('administrator');
      await app.actor('engineer');
      token = await (await openTestDoor(app)).tokenOf('administrator');
      client = await startClient(python, there.url, {});
      for (const [log, name] of [
        ['log_sklearn', 'alpha'],
        ['log_xgboost', 'alpha'],
        ['log_sklearn', 'beta'],
        ['log_xgboost', 'beta'],
        ['log_sklearn', 'beta'],
      ]) {
        const { error } = await client.run('in_run', [log, name]);
        expect(error).toBeUndefined();
      }
      await client.call('delete_model_version', ['beta', '2']);
      await client.call('set_registered_model_alias', ['alpha', 'champion', '2']);
      await client.call('set_registered_model_alias', ['alpha', 'candidate', '1']);
      await client.call('set_registered_model_alias', ['beta', 'shadow', '3']);
      await client.call('set_registered_model_tag', ['alpha', 'team', 'risk']);
      await client.call('set_model_version_tag', ['alpha', '1', 'note', 'first']);
      await client.call('update_registered_model', ['alpha', 'From there']);
    });

    test('killed in the middle, it goes on where it was', async () => {
      const killed = await importByCommand('beta (2 of 2)');
      expect(killed, killed.err).toMatchObject({ code: null });
      const before = await stored();
      expect(before.filter(({ name }) => name === 'alpha')).toHaveLength(2);
      expect(await rows(`select 1 from mlflow_import where state = 'RUNNING'`)).toHaveLength(1);

      const ended = await importByCommand();
      expect(ended).toMatchObject({ code: 0 });
      expect(ended.out).toContain('VERSION_SAME 2');
      const after = await stored();
      expect(after.map(({ name, version }) => `${name}/${String(version)}`)).toEqual([
        'alpha/1',
        'alpha/2',
        'beta/1',
        'beta/3',
      ]);
      expect(after.every(({ files, digest }) => files > 3 && digest.length === 64)).toBe(true);
      expect(await rows(`select 1 from mlflow_import where state = 'DONE'`)).toHaveLength(1);
    });

    test('what is protected here is not set but asked for; the rest is set when intake is through', async () => {
      await app.drainJobs();
      expect((await stored()).map(({ state }) => state)).toEqual(['READY', 'READY', 'READY', 'READY']);
      const aliases = await rows<{ name: string }>('select name from model_alias order by name');
      expect(aliases.map(({ name }) => name)).toEqual(['candidate', 'shadow']);
      const [first] = await rows<{ id: string }>('select id from mlflow_import');
      expect(await itemsOf(first?.id ?? '', 'ALIAS')).toContainEqual({
        name: 'alpha@champion → 2',
        outcome: 'ASKED_FOR',
        reason: expect.stringContaining('change request') as string,
      });
    });

    test('lineage, tags and times are there, as the word of the other server', async () => {
      const [model] = await rows<{ description: string; tag: string; created: number }>(
        `select m.description, t.value as tag, (c.facts ->> 'createdMs')::float8 as created from registered_model m
           join model_tag t on t.model_id = m.id and t.version_id is null and t.key = 'team'
           join upstream_copy c on c.model_id = m.id and c.version_id is null where m.name = 'alpha'`,
      );
      expect(model).toMatchObject({ description: 'From there', tag: 'risk' });
      const told = await client.call<{ creation_timestamp: number; run_id: string }>('get_model_version', [
        'alpha',
        '1',
      ]);
      const [version] = await rows<{
        facts: { createdMs: number; runId: string; run: { status: string } };
        metrics: Record<string, number>;
        params: Record<string, string>;
        lineage: { run: string };
      }>(
        `select c.facts, v.metrics, v.params, v.lineage from upstream_copy c join model_version v on v.id = c.version_id
           join registered_model m on m.id = v.model_id where m.name = 'alpha' and v.version = 1`,
      );
      expect(version).toMatchObject({
        facts: { createdMs: told.result.creation_timestamp, run: { status: 'FINISHED' } },
        metrics: { auc: 0.75, loss: 0.2 },
        params: { depth: '3' },
        lineage: { run: told.result.run_id },
      });
    });

    test('again, it changes nothing, and takes what is new', async () => {
      const before = await stored();
      const again = await importByJob();
      expect(again).toMatchObject({
        state: 'DONE',
        counts: { MODEL_SAME: 2, VERSION_SAME: 4, ALIAS_ASKED_FOR: 1 },
      });
      expect(await itemsOf(again.id, 'VERSION')).toEqual([]);
      expect(await stored()).toEqual(before);

      await client.run('in_run', ['log_sklearn', 'alpha']);
      const third = await importByJob();
      expect(third.counts).toMatchObject({ VERSION_IMPORTED: 1, VERSION_SAME: 4 });
      expect((await stored()).map(({ name, version }) => `${name}/${String(version)}`)).toContain('alpha/3');
    });

    test('the same bytes predict the same from here', async () => {
      const door = await openTestDoor(app, { environment: { RATE_LIMIT_PER_MINUTE: '1000000' } });
      const here = await startClient(python, `${door.url}/mlflow`, {
        MLFLOW_TRACKING_TOKEN: await door.tokenOf('engineer'),
      });
      const ours = await here.run('predict', ['models:/alpha/1']);
      expect(ours.error).toBeUndefined();
      expect(await client.run('predict', ['models:/alpha/1'])).toEqual(ours);
    });
  },
);
