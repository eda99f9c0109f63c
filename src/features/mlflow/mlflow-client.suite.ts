import { beforeAll, describe, expect, test } from 'vitest';
import { decide, givenCard, givenEvidence, type Given } from '../../testing/given-change.js';
import { givenUseCase } from '../../testing/given-version.js';
import { keepWorking } from '../../testing/keep-working.js';
import { openTestDoor, type TestDoor } from '../../testing/http-door.js';
import { pythonWithMlflow, startClient, type MlflowClient } from '../../testing/mlflow-client.js';
import { testApp, type TestApp } from '../../testing/test-app.js';

const found = pythonWithMlflow();
const missing = 'missing' in found ? found.missing : null;

let app: TestApp;
let door: TestDoor;
let client: MlflowClient;

interface Logged {
  readonly run: string;
  readonly model_id: string;
  readonly run_id: string;
  readonly version: string;
  readonly expected: readonly number[];
}

interface Version {
  readonly version: string;
  readonly status: string;
  readonly status_message: string;
  readonly current_stage: string;
  readonly tags: Readonly<Record<string, string>>;
}

describe.skipIf(missing !== null)(
  `the MLflow client${missing === null ? '' : ` (skipped: ${missing})`}`,
  () => {
    beforeAll(async () => {
      app = await testApp();
      await app.actor('engineer');
      door = await openTestDoor(app, { environment: { RATE_LIMIT_PER_MINUTE: '1000000' } });
      keepWorking(app);
      const python = 'python' in found ? found.python : '';
      client = await startClient(python, `${door.url}/mlflow`, {
        MLFLOW_TRACKING_TOKEN: await door.tokenOf('engineer'),
      });
    });

    test('opens an experiment, and finds it again', async () => {
      const { result } = await client.run('set_experiment', ['suite']);
      expect(result).toBe('1');
      expect(await client.run('set_experiment', ['suite'])).toEqual({ result });
    });

    const flavours = [
      ['scikit-learn', 'log_sklearn', {}],
      ['scikit-learn as a pickle', 'log_sklearn', { serialization: 'cloudpickle' }],
      ['XGBoost', 'log_xgboost', {}],
      ['ONNX', 'log_onnx', {}],
    ] as const;

    test.each(flavours)(
      '%s: logged, registered, aliased, loaded back, and predicting the same',
      async (_, log, more) => {
        const name = `model-${log}-${Object.values(more)[0] ?? 'plain'}`;
        const logged = await client.run<Logged>('in_run', [log, name], more);
        expect(logged.error).toBeUndefined();
        const { expected, version } = logged.result;
        expect(version).toBe('1');

        const read = await client.call<Version>('get_model_version', [name, '1']);
        expect(read.result).toMatchObject({ status: 'READY', tags: { 'countersign.intake': 'passed' } });
        expect(read.result.status_message).toContain('Approved for no use yet');

        expect(await client.call('set_registered_model_alias', [name, 'candidate', '1'])).toEqual({
          result: null,
        });
        for (const uri of [
          `models:/${name}/1`,
          `models:/${name}@candidate`,
          `models:/${logged.result.model_id}`,
        ]) {
          expect(await client.run('predict', [uri])).toEqual({ result: expected });
        }
      },
    );

    test('what was told of a run is there: history, params, metrics that are no numbers', async () => {
      const { result } = await client.run<Logged>('in_run', ['log_xgboost', 'told']);
      const history = await client.call<{ step: number; value: number }[]>('get_metric_history', [
        result.run,
        'loss',
      ]);
      expect(history.result.map(({ step, value }) => [step, value])).toEqual(
        [0, 1, 2, 3, 4].map((step) => [step, 1 / (step + 1)]),
      );
      const run = await client.call<{
        data: { metrics: Record<string, number | string>; params: Record<string, string> };
      }>('get_run', [result.run]);
      expect(run.result.data.params).toEqual({ depth: '3', rate: '0.1' });
      expect(run.result.data.metrics).toMatchObject({ loss: 0.2, auc: 0.75, odd: 'nan', most: 'inf' });
      const search = async (filter: string): Promise<number> =>
        (await client.call<unknown[]>('search_runs', [['1'], filter], { order_by: ['metrics.auc DESC'] }))
          .result.length;
      expect(
        await search("metrics.auc > 0.7 and params.depth = '3' and attributes.status = 'FINISHED'"),
      ).toBe(5);
      expect(await search('metrics.auc > 0.8')).toBe(0);
      expect(await search(`attributes.run_id = '${result.run}'`)).toBe(1);
    });

    test('files of a run: folders, listing, names with spaces and letters of all kinds, and an empty one', async () => {
      const { result } = await client.run<Logged>('in_run', ['log_xgboost', 'files']);
      const files = await client.run('log_files', [result.run]);
      expect(files.result).toEqual({
        top: [['files', true]],
        inside: [
          ['files/plots/b c.txt', false],
          ['files/plots/deep', true],
        ],
        read: { 'a.txt': 'a', 'plots/b c.txt': 'b', 'plots/deep/ü.txt': 'ü', 'empty.bin': '' },
      });
    });

    test('a model that is READY keeps its files', async () => {
      const { result } = await client.run<Logged>('in_run', ['log_xgboost', 'closed']);
      const { error } = await client.run('overwrite', [result.model_id]);
      expect(error?.message).toMatch(/closed|409/);
      expect(await client.run('predict', [`models:/${result.model_id}`])).toEqual({
        result: result.expected,
      });
    });

    test('a folder whose pickle would run something is refused while the script waits', async () => {
      const { error } = await client.run('log_evil', ['evil']);
      expect(error?.message).toContain('FAILED_REGISTRATION');
      expect(error?.message).toContain('loading it would import posix.system');
    });

    test('the registry: search, order, tags, descriptions, stages, copies, prompts', async () => {
      const name = 'model-log_xgboost-plain';
      await client.call('set_registered_model_tag', [name, 'team', 'risk']);
      await client.call('set_model_version_tag', [name, '1', 'note', 'first']);
      const models = await client.call<{ name: string }[]>('search_registered_models', [
        "tags.team = 'risk' AND name LIKE 'model-%'",
      ]);
      expect(models.result.map((model) => model.name)).toEqual([name]);
      const versions = await client.call<{ name: string }[]>(
        'search_model_versions',
        ["tags.note = 'first'"],
        { order_by: ['name DESC'] },
      );
      expect(versions.result.map((version) => version.name)).toEqual([name]);

      await client.call('update_registered_model', [name, 'a model']);
      await client.call('update_model_version', [name, '1', 'a version']);
      const staged = await client.call<Version>('transition_model_version_stage', [name, '1', 'Staging']);
      expect(staged.result.current_stage).toBe('Staging');
      const latest = await client.call<Version[]>('get_latest_versions', [name, ['Staging']]);
      expect(latest.result.map(({ version }) => version)).toEqual(['1']);

      const copied = await client.call<{ name: string; version: string; source: string }>(
        'copy_model_version',
        [`models:/${name}/1`, 'copied'],
      );
      expect(copied.result).toMatchObject({ name: 'copied', version: '1', source: `models:/${name}/1` });
      await client.call('delete_model_version_tag', [name, '1', 'note']);
      const read = await client.call<Version & { description: string }>('get_model_version', [name, '1']);
      expect(read.result).toMatchObject({ description: 'a version' });
      expect(read.result.tags).not.toHaveProperty('note');

      const prompts = await client.run<{ text: string; found: string[]; models: string[] }>('prompt', [
        'greeting',
      ]);
      expect(prompts.result).toMatchObject({ text: 'Hello {{who}}', found: ['greeting'] });
      expect(prompts.result.models).not.toContain('greeting');
    });

    test('the gate: refused with the rules and the request, approved, then the same call succeeds', async () => {
      const name = 'model-log_sklearn-plain';
      const promote = () => client.call('set_registered_model_alias', [name, 'champion', '1']);

      const bare = await promote();
      expect(bare.error).toMatchObject({ code: 'PERMISSION_DENIED' });
      expect(bare.error?.message).toContain('countersign.use_case');

      const useCaseId = await givenUseCase(app);
      const slug = await slugOf(useCaseId);
      await client.call('set_model_version_tag', [name, '1', 'countersign.use_case', slug]);
      const refused = await promote();
      expect(refused.error).toMatchObject({
        code: 'PERMISSION_DENIED',
        details: {
          rule: 'protected-alias',
          changeRequest: { number: 1, url: expect.stringContaining('/changes/1') as string },
        },
      });
      expect(refused.error?.message).toContain('evidence.PERFORMANCE');
      expect((await promote()).error?.details).toMatchObject({ changeRequest: { number: 1 } });
      await client.call('get_model_version_by_alias', [name, 'champion']).then(({ error }) => {
        expect(error?.message).toContain('alias champion not found');
      });

      await approve(name, useCaseId);
      expect(await promote()).toEqual({ result: null });
      const read = await client.call<Version>('get_model_version_by_alias', [name, 'champion']);
      expect(read.result).toMatchObject({
        version: '1',
        tags: { 'countersign.approvals': `champion:${slug}` },
      });
      expect(await client.run('predict', [`models:/${name}@champion`])).toHaveProperty('result');
    });

    test('a model of 100 MB is through intake within a minute', async () => {
      const { result, error } = await client.run<{ status: string; seconds: number }>('big', ['large', 100]);
      expect(error).toBeUndefined();
      expect(result.status).toBe('READY');
      expect(result.seconds).toBeLessThan(60);
    });

    test('a name and a password open the door as well, when the password is a token', async () => {
      const python = 'python' in found ? found.python : '';
      const basic = await startClient(python, `${door.url}/w/main/mlflow`, {
        MLFLOW_TRACKING_USERNAME: 'anybody',
        MLFLOW_TRACKING_PASSWORD: await door.tokenOf('engineer'),
      });
      const models = await basic.call<{ name: string }[]>('search_registered_models');
      expect(models.result.length).toBeGreaterThan(3);
    });
  },
);

const slugOf = async (useCaseId: string): Promise<string> => {
  const [row] = await asSystemRows<{ slug: string }>('select slug from use_case where id = $1', [useCaseId]);
  return row?.slug ?? '';
};

const asSystemRows = <Row extends object>(text: string, values: unknown[]): Promise<Row[]> =>
  app.db.transact(
    'app_reader',
    { workspaceId: app.workspaceId, organizationId: app.organizationId, commandId: null },
    (db) => db.sql<Row>(text, values),
  );

/** What people do meanwhile: evidence, card, two approvals. */
const approve = async (name: string, useCaseId: string): Promise<void> => {
  const [row] = await asSystemRows<{ versionId: string; modelId: string }>(
    `select v.id as "versionId", m.id as "modelId" from model_version v join registered_model m on m.id = v.model_id
      where m.name = $1 and v.version = 1`,
    [name],
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
  const [change] = await asSystemRows<{ id: string }>(
    `select id from change_request where state = 'OPEN'`,
    [],
  );
  await decide(app, given.validator, change?.id ?? '');
  await decide(app, given.compliance, change?.id ?? '');
};
