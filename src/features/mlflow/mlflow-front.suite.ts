import { beforeAll, describe, expect, test } from 'vitest';
import { openMlflowServer } from '../../integrations/mlflow-server.js';
import { decide, givenCard, givenEvidence, type Given } from '../../testing/given-change.js';
import { givenUseCase } from '../../testing/given-version.js';
import { keepWorking } from '../../testing/keep-working.js';
import { openTestDoor, type TestDoor } from '../../testing/http-door.js';
import { pythonWithMlflow, startClient, type MlflowClient } from '../../testing/mlflow-client.js';
import { protocolAt, type Protocol } from '../../testing/mlflow-door.js';
import { startMlflowServer, type MlflowServerProcess } from '../../testing/mlflow-server.js';
import { testApp, type TestApp } from '../../testing/test-app.js';
import { reconcile } from './upstream/reconcile.js';

const found = pythonWithMlflow();
const missing = 'missing' in found ? found.missing : null;
const python = 'python' in found ? found.python : '';

let app: TestApp;
let door: TestDoor;
let upstream: MlflowServerProcess;
let client: MlflowClient;
/** The other server's own interface, which nobody but us should reach. */
let theirs: Protocol;
let ours: Protocol;

const rows = <Row extends object>(text: string, values: unknown[] = []): Promise<Row[]> => {
  const session = { workspaceId: app.workspaceId, organizationId: app.organizationId, commandId: null };
  return app.db.transact('app_reader', session, (db) => db.sql<Row>(text, values));
};

const approve = async (name: string, version: number, useCaseId: string): Promise<void> => {
  const [row] = await rows<{ versionId: string; modelId: string }>(
    `select v.id as "versionId", m.id as "modelId" from model_version v join registered_model m on m.id = v.model_id
      where m.name = $1 and v.version = $2`,
    [name, version],
  );
  const given: Given = {
    modelId: row?.modelId ?? '',
    versionId: row?.versionId ?? '',
    useCaseId,
    engineer: await app.actor('engineer'),
    validator: await app.actor('validator'),
    compliance: await app.actor('compliance'),
    owner: await app.actor('owner'),
  };
  await givenCard(app, given);
  await givenEvidence(app, given, { PERFORMANCE: 'PASS', FAIRNESS: 'PASS', ATTRIBUTION: 'PASS' });
  const [change] = await rows<{ id: string }>(`select id from change_request where state = 'OPEN'`);
  await decide(app, given.validator, change?.id ?? '');
  await decide(app, given.compliance, change?.id ?? '');
};

const aliasThere = async (name: string, alias: string): Promise<string | undefined> => {
  const { body } = await theirs.get('registered-models/alias', { name, alias });
  return (body['model_version'] as { version?: string } | undefined)?.version;
};

interface Logged {
  readonly version: string;
  readonly model_id: string;
  readonly expected: readonly number[];
}

interface Version {
  readonly version: string;
  readonly status: string;
  readonly status_message: string;
  readonly tags: Readonly<Record<string, string>>;
}

describe.skipIf(missing !== null)(
  `in front of a real mlflow server${missing === null ? '' : ` (skipped: ${missing})`}`,
  () => {
    beforeAll(async () => {
      upstream = await startMlflowServer(python);
      const server = openMlflowServer({ url: upstream.url, token: null });
      app = await testApp({ modelServers: { front: { server, workspace: 'main' }, source: null } });
      await app.actor('engineer');
      door = await openTestDoor(app, { environment: { RATE_LIMIT_PER_MINUTE: '1000000' } });
      keepWorking(app);
      const token = await door.tokenOf('engineer');
      client = await startClient(python, `${door.url}/mlflow`, { MLFLOW_TRACKING_TOKEN: token });
      ours = protocolAt(`${door.url}/mlflow`, token);
      theirs = protocolAt(upstream.url, null);
    });

    test('a model is logged there, registered in both, and checked here before it is READY', async () => {
      const logged = await client.run<Logged>('in_run', ['log_sklearn', 'churn']);
      expect(logged.error).toBeUndefined();
      expect(logged.result.version).toBe('1');

      const read = await client.call<Version>('get_model_version', ['churn', '1']);
      expect(read.result).toMatchObject({ status: 'READY', tags: { 'countersign.intake': 'passed' } });
      expect(read.result.status_message).toContain('Approved for no use yet');

      const there = await theirs.get('model-versions/get', { name: 'churn', version: '1' });
      expect(there.body).toMatchObject({ model_version: { name: 'churn', version: '1' } });
      const [copy] = await rows<{
        files: string;
        digest: string;
        metrics: Record<string, number>;
        count: number;
      }>(
        `select c.files, v.digest, v.metrics, (select count(*)::int from artifact a where a.version_id = v.id) as count
           from upstream_copy c join model_version v on v.id = c.version_id where v.version = 1`,
      );
      expect(copy).toMatchObject({ files: 'KEPT', metrics: { auc: 0.75 } });
      expect(copy?.count).toBeGreaterThan(3);
      expect(await client.run('predict', ['models:/churn/1'])).toEqual({ result: logged.result.expected });
      expect(await rows('select 1 from training_run')).toEqual([]);
    });

    test('an alias that nobody protects is set in both', async () => {
      expect(await client.call('set_registered_model_alias', ['churn', 'candidate', '1'])).toEqual({
        result: null,
      });
      expect(await aliasThere('churn', 'candidate')).toBe('1');
    });

    test('a protected one is refused, approved, and then the same call succeeds and stands there', async () => {
      const useCaseId = await givenUseCase(app);
      const [row] = await rows<{ slug: string }>('select slug from use_case where id = $1', [useCaseId]);
      await client.call('set_model_version_tag', ['churn', '1', 'countersign.use_case', row?.slug]);
      const promote = () => client.call('set_registered_model_alias', ['churn', 'champion', '1']);

      const refused = await promote();
      expect(refused.error).toMatchObject({
        code: 'PERMISSION_DENIED',
        details: { changeRequest: { number: 1, url: expect.stringContaining('/changes/1') as string } },
      });
      expect(await aliasThere('churn', 'champion')).toBeUndefined();

      await approve('churn', 1, useCaseId);
      expect(await promote()).toEqual({ result: null });
      expect(await aliasThere('churn', 'champion')).toBe('1');
      expect(await client.run('predict', ['models:/churn@champion'])).toHaveProperty('result');
    });

    test('an approval alone is carried there, without anybody repeating the call', async () => {
      const logged = await client.run<Logged>('in_run', ['log_xgboost', 'carried']);
      expect(logged.error).toBeUndefined();
      const useCaseId = await givenUseCase(app);
      const [row] = await rows<{ slug: string }>('select slug from use_case where id = $1', [useCaseId]);
      await client.call('set_model_version_tag', ['carried', '1', 'countersign.use_case', row?.slug]);
      await client.call('set_registered_model_alias', ['carried', 'champion', '1']);
      await approve('carried', 1, useCaseId);
      await expect.poll(() => aliasThere('carried', 'champion'), { timeout: 20_000 }).toBe('1');
    });

    test.each([
      ['deleting the alias', 'DELETE', 'registered-models/alias', { name: 'churn', alias: 'champion' }],
      ['deleting the version', 'DELETE', 'model-versions/delete', { name: 'churn', version: '1' }],
      ['deleting the model', 'DELETE', 'registered-models/delete', { name: 'churn' }],
      ['renaming the model', 'POST', 'registered-models/rename', { name: 'churn', new_name: 'other' }],
      [
        'the address of its pages',
        'DELETE',
        '/ajax-api/2.0/mlflow/registered-models/alias',
        { name: 'churn', alias: 'champion' },
      ],
    ])('%s is refused, and the name stands there', async (_, method, path, body) => {
      const answer = await ours.send(method, path, body);
      expect(answer).toMatchObject({ status: 403, code: 'PERMISSION_DENIED' });
      expect(await aliasThere('churn', 'champion')).toBe('1');
    });

    test('what was registered is never overwritten', async () => {
      const { result } = await client.call<{ artifact_location: string }>('get_logged_model', [
        (
          await rows<{ source: string }>(`select source from model_version order by id limit 1`)
        )[0]?.source.slice(8),
      ]);
      const path = result.artifact_location.replace('mlflow-artifacts:/', '');
      const answer = await ours.put(`${path}/MLmodel`, 'flavors: {}');
      expect(answer).toMatchObject({ status: 409, code: 'RESOURCE_CONFLICT' });
      expect((await ours.put('0/free/artifacts/x.txt', 'x')).status).toBe(200);
    });

    test('its pages, scripts and the addresses they use pass through', async () => {
      const headers = { authorization: `Bearer ${await door.tokenOf('engineer')}` };
      const page = await fetch(`${door.url}/mlflow/`, { headers });
      const html = await page.text();
      expect(html).toContain('<title>MLflow</title>');
      const [, script = ''] = /src="(static-files[^"]+)"/.exec(html) ?? [];
      const loaded = await fetch(`${door.url}/mlflow/${script}`, { headers });
      expect(loaded.status).toBe(200);
      expect(loaded.headers.get('content-type')).toContain('javascript');
      const search = await fetch(`${door.url}/mlflow/ajax-api/2.0/mlflow/experiments/search`, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        body: JSON.stringify({ max_results: 10 }),
      });
      expect(await search.json()).toHaveProperty('experiments');
      expect((await fetch(`${door.url}/mlflow/`)).status).toBe(401);
    });

    test('what somebody moves there behind the gate opens a finding, and reads here as it was approved', async () => {
      const logged = await client.run<Logged>('in_run', ['log_sklearn', 'churn']);
      expect(logged.result.version).toBe('2');
      await theirs.post('registered-models/alias', { name: 'churn', alias: 'champion', version: '2' });

      const read = await client.call<Version>('get_model_version_by_alias', ['churn', 'champion']);
      expect(read.result.version).toBe('1');
      const titles = async () =>
        (await rows<{ title: string }>('select title from finding')).map((one) => one.title);
      expect(await titles()).toEqual(['alias:champion of churn was changed behind the gate']);

      await theirs.post('registered-models/create', { name: 'smuggled' });
      await theirs.post('model-versions/create', {
        name: 'smuggled',
        source: 'mlflow-artifacts:/0/nowhere/artifacts',
      });
      const system = app.system('job:mlflow.reconcileUpstream');
      const { front } = app.outside.modelServers;
      if (front === null) throw new Error('There is no server');
      const looker = { run: app.run, ask: app.ask, actor: system, signal: new AbortController().signal };
      await reconcile(looker, front.server);
      expect(await titles()).toHaveLength(1);
      expect(await rows(`select 1 from registered_model where name = 'smuggled'`)).toHaveLength(1);

      expect(await client.call('set_registered_model_alias', ['churn', 'champion', '1'])).toEqual({
        result: null,
      });
      expect(await aliasThere('churn', 'champion')).toBe('1');
      await reconcile(looker, front.server);
      expect(await rows('select 1 from upstream_difference where settled_at is null')).toEqual([]);
    });

    test('100 MB go up and come down as a stream', async () => {
      const content = new Uint8Array(100 * 1_048_576).fill(7);
      expect((await ours.put('0/large/artifacts/large.bin', content)).status).toBe(200);
      const response = await fetch(
        `${door.url}/mlflow/api/2.0/mlflow-artifacts/artifacts/0/large/artifacts/large.bin`,
        {
          headers: { authorization: `Bearer ${await door.tokenOf('engineer')}` },
        },
      );
      let bytes = 0;
      for await (const piece of response.body ?? []) bytes += (piece as Uint8Array).byteLength;
      expect(bytes).toBe(content.byteLength);
    });

    test('when it is away, that is said at once and by name', async () => {
      await upstream.stop();
      const started = performance.now();
      const { error } = await client.call('search_experiments');
      expect(error?.message).toContain(`${upstream.url}) is unreachable`);
      expect(error?.code).toBe('TEMPORARILY_UNAVAILABLE');
      const registry = await client.call('set_registered_model_alias', ['churn', 'candidate', '2']);
      expect(registry.error?.message).toContain('is unreachable');
      expect(performance.now() - started).toBeLessThan(10_000);
      await upstream.start();
      expect((await client.call('search_experiments')).error).toBeUndefined();
    });
  },
);
