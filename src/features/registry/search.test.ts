import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Role } from '../../kernel/actor.js';
import { connect } from '../../testing/shape/database-shape.js';
import { runStatement } from '../../testing/databases.js';
import { freshName, givenUseCase } from '../../testing/given-version.js';
import { testApp, type TestApp } from '../../testing/test-app.js';
import {
  createModel,
  createModelVersion,
  deleteModel,
  deleteModelVersion,
  setAlias,
  setTag,
  submitModelVersion,
} from './index.js';
import { modelSelect, versionSelect } from './registry.queries.js';
import { modelConditions, versionConditions } from './search.conditions.js';
import { modelFilter, versionFilter } from './search.filter.js';
import { searchStatement } from './search.queries.js';

let app: TestApp;
beforeAll(async () => {
  app = await testApp();
});

const VERSIONS = `query ($filter: ModelVersionSearchFilterInput!, $first: Int, $after: String) {
  searchModelVersions(filter: $filter, first: $first, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } } }`;
const MODELS = `query ($filter: ModelSearchFilterInput!) { searchModels(filter: $filter) { nodes { id } } }`;

interface Found {
  readonly nodes: readonly { readonly id: string }[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}

const search = async (document: string, filter: object, more: object = {}, role: Role = 'auditor') => {
  const answer = await app.graphql<Record<string, Found>>(await app.actor(role), document, {
    filter,
    ...more,
  });
  const [page] = Object.values(answer.data ?? {});
  return { ids: page?.nodes.map(({ id }) => id) ?? [], page: page?.pageInfo, code: answer.code };
};

const digest = createHash('sha256').update('data').digest('hex');

interface Made {
  readonly name: string;
  readonly modelId: string;
  readonly first: string;
  readonly second: string;
  readonly useCaseId: string;
}

/** A model with two versions that differ in everything one can look for. */
const made = async (): Promise<Made> => {
  const engineer = await app.actor('engineer');
  const name = freshName('Credit_Scoring');
  const { id: modelId } = await app.run(createModel, engineer, {
    name,
    kind: 'EXTERNAL',
    description: 'Scores Loans',
  });
  const version = async (input: object): Promise<string> => {
    const { id } = await app.run(createModelVersion, engineer, { modelId, ...input });
    await app.run(submitModelVersion, engineer, { versionId: id });
    return id;
  };
  const first = await version({ description: 'Baseline, logistic', metrics: { auc: 0.8, loss: 1 } });
  const second = await version({
    description: 'Gradient boosting',
    metrics: { auc: 0.9 },
    datasets: [{ name: 'd', sha256: digest, role: 'train' }],
  });
  const useCaseId = await givenUseCase(app);
  await app.run(setAlias, engineer, { modelId, name: 'Candidate', versionId: second, useCaseId });
  await app.run(setTag, engineer, { modelId, versionId: second, key: 'team', value: 'risk' });
  await app.run(setTag, engineer, { modelId, key: 'domain', value: `credit-${name}` });
  return { name, modelId, first, second, useCaseId };
};

type Filter = (made: Made) => object;
const one =
  (value: object): Filter =>
  () =>
    value;

describe('versions are found by', () => {
  let given: Made;
  beforeAll(async () => {
    given = await made();
  });
  const both = ({ first, second }: Made): string[] => [second, first];
  const newer = ({ second }: Made): string[] => [second];
  const older = ({ first }: Made): string[] => [first];
  const none = (): string[] => [];
  const metric = (is: string, value: number, name = 'auc'): Filter => one({ metrics: [{ name, is, value }] });

  test.each<[string, Filter, (made: Made) => string[]]>([
    ['the model', ({ modelId }) => ({ modelId }), both],
    ['the name, however it is spelled', ({ name }) => ({ name: name.toUpperCase() }), both],
    ['a word of the name of the model', one({ text: 'scoring' }), both],
    ['the beginning of a word of its description', one({ text: 'gradi' }), newer],
    ['all words at once, of model and version', one({ text: 'loans, LOGIST' }), older],
    ['words that nobody said', one({ text: 'loans quantum' }), none],
    ['a text without a word', one({ text: '%_' }), none],
    ['a metric that is at least so', metric('AT_LEAST', 0.9), newer],
    ['a metric that is less', metric('LESS', 0.9), older],
    ['a metric that is at most so', metric('AT_MOST', 0.9), both],
    ['a metric that is greater', metric('GREATER', 0.9), none],
    ['a metric that equals', metric('EQUAL', 0.8), older],
    ['a metric that few have', metric('GREATER', 0, 'loss'), older],
    [
      'two metrics',
      one({
        metrics: [
          { name: 'auc', is: 'LESS', value: 1 },
          { name: 'loss', is: 'LESS', value: 2 },
        ],
      }),
      older,
    ],
    ['a tag', one({ tags: [{ key: 'team', value: 'risk' }] }), newer],
    ['the key of a tag', one({ tags: [{ key: 'team' }] }), newer],
    ['another value of the tag', one({ tags: [{ key: 'team', value: 'ris' }] }), none],
    ['an alias, however it is spelled', one({ alias: 'CANDIDATE' }), newer],
    ['a use case', ({ useCaseId }) => ({ useCaseId }), newer],
    ['the state', one({ state: 'READY' }), both],
    ['another state', one({ state: 'REJECTED' }), none],
    ['a stage', one({ stage: 'production' }), none],
    ['the data it was made from', one({ datasetSha256: digest }), newer],
    ['the time before which it was made', one({ createdBefore: '2000-01-01T00:00:00.000Z' }), none],
    ['the time since which it was made', one({ createdFrom: '2000-01-01T00:00:00.000Z' }), both],
  ])('%s', async (_, filter, expected) => {
    const found = await search(VERSIONS, { modelId: given.modelId, ...filter(given) });

    expect(found).toMatchObject({ code: undefined, ids: expected(given) });
  });

  test('who made them', async () => {
    const engineer = await app.actor('engineer');

    expect((await search(VERSIONS, { modelId: given.modelId, createdBy: engineer.id })).ids).toEqual(
      both(given),
    );
    expect((await search(VERSIONS, { modelId: given.modelId, createdBy: 'nobody' })).ids).toEqual([]);
  });
});

test('models are found by name, word, tag, alias, use case, kind and creator', async () => {
  const { name, modelId, useCaseId } = await made();
  const engineer = await app.actor('engineer');
  const alone = { tags: [{ key: 'domain', value: `credit-${name}` }] };
  const filters = [
    { name: name.toLowerCase() },
    alone,
    { ...alone, text: 'loan scor' },
    { ...alone, alias: 'candidate' },
    { useCaseId },
    { ...alone, kind: 'EXTERNAL', createdBy: engineer.id },
  ];

  for (const filter of filters)
    expect([filter, (await search(MODELS, filter)).ids]).toEqual([filter, [modelId]]);
  expect((await search(MODELS, { ...alone, kind: 'ONNX' })).ids).toEqual([]);
  expect((await search(MODELS, { ...alone, alias: 'other' })).ids).toEqual([]);
});

test('pages follow one another without a gap, and a forged cursor is refused', async () => {
  const { modelId, first, second } = await made();
  const one = await search(VERSIONS, { modelId }, { first: 1 });
  const two = await search(VERSIONS, { modelId }, { first: 1, after: one.page?.endCursor });

  expect([one.ids, one.page?.hasNextPage, two.ids, two.page?.hasNextPage]).toEqual([
    [second],
    true,
    [first],
    false,
  ]);
  expect((await search(VERSIONS, { modelId }, { after: 'x' })).code).toBe('INVALID_INPUT');
});

test('what was changed is found by what it is now', async () => {
  const { modelId, second } = await made();
  const engineer = await app.actor('engineer');
  await app.run(setTag, engineer, { modelId, versionId: second, key: 'team', value: 'fraud' });

  expect((await search(VERSIONS, { modelId, tags: [{ key: 'team', value: 'risk' }] })).ids).toEqual([]);
  expect((await search(VERSIONS, { modelId, tags: [{ key: 'team', value: 'fraud' }] })).ids).toEqual([
    second,
  ]);
});

describe('what was deleted', () => {
  test('is found by who reads the trail, on demand', async () => {
    const { name, modelId, first, second } = await made();
    const engineer = await app.actor('engineer');
    await app.run(deleteModelVersion, engineer, { versionId: first });

    expect((await search(VERSIONS, { modelId })).ids).toEqual([second]);
    expect((await search(VERSIONS, { modelId, deleted: 'ONLY' })).ids).toEqual([first]);
    expect((await search(VERSIONS, { modelId, deleted: 'WITH' })).ids).toEqual([second, first]);
    await app.run(deleteModel, engineer, { modelId });
    expect((await search(MODELS, { name })).ids).toEqual([]);
    expect((await search(MODELS, { name, deleted: 'ONLY' })).ids).toEqual([modelId]);
  });

  test.each([VERSIONS, MODELS])('is shown to nobody else: %s', async (document) => {
    for (const deleted of ['WITH', 'ONLY']) {
      expect((await search(document, { deleted }, {}, 'engineer')).code).toBe('FORBIDDEN');
    }
  });
});

test.each([
  { text: 'x'.repeat(201) },
  { metrics: [{ name: 'auc', is: 'LIKE', value: 1 }] },
  { metrics: Array.from({ length: 11 }, () => ({ name: 'a', is: 'LESS', value: 1 })) },
  { tags: [{ key: '' }] },
  { datasetSha256: 'abc' },
  { alias: 'a\0b' },
])('a filter that cannot be is refused: %j', async (filter) => {
  expect((await search(VERSIONS, filter)).code).toBe('INVALID_INPUT');
});

describe('with 10,000 versions', () => {
  const useCaseId = '00000000-0000-7000-8000-000000000001';
  beforeAll(async () => {
    // Written by the owner of the schema: what is measured is the plan, not how they came.
    await runStatement(
      app.databaseUrl,
      `select audited_repair('many versions');
       insert into registered_model (id, workspace_id, name, folded, description, kind, last_version, created_by, created_at)
       select gen_random_uuid(), '${app.workspaceId}', 'many ' || n, 'many ' || n, 'word' || (n % 50), 'EXTERNAL', 10, 'x', now()
         from generate_series(1, 1000) n;
       insert into model_version (id, workspace_id, model_id, version, state, submitted_at, digest, metrics, params, lineage, created_by, created_at, description)
       select gen_random_uuid(), m.workspace_id, m.id, n, 'READY', now(), repeat('a', 64),
              jsonb_build_object('auc', random(), 'loss', random()), '{}', '{"datasets": []}', 'maker' || (n % 7), now(), 'lot' || (random() * 1000)::int
         from registered_model m cross join generate_series(1, 10) n where m.name like 'many %';
       insert into model_tag (id, workspace_id, model_id, version_id, key, value, set_by, set_at)
       select gen_random_uuid(), v.workspace_id, v.model_id, v.id, 'team', 'team' || (random() * 100)::int, 'x', now()
         from model_version v where v.digest = repeat('a', 64);
       insert into model_alias (id, workspace_id, model_id, name, folded, version_id, moved_at, moved_by)
       select gen_random_uuid(), v.workspace_id, v.model_id, 'candidate', 'candidate', v.id, now(), 'x'
         from model_version v where v.version = 5 and v.digest = repeat('a', 64);`,
    );
    await runStatement(app.databaseUrl, 'analyze');
  }, 120_000);

  const filters: object[] = [
    {},
    { text: 'lot12 word' },
    { text: 'many' },
    { text: 'lot777' },
    { metrics: [{ name: 'auc', is: 'GREATER', value: 0.999 }] },
    { metrics: [{ name: 'auc', is: 'GREATER', value: 0.5 }] },
    { tags: [{ key: 'team', value: 'team5' }] },
    { alias: 'candidate' },
    { name: 'many 77' },
    { useCaseId },
    { createdBy: 'maker3' },
    { state: 'READY', metrics: [{ name: 'loss', is: 'LESS', value: 0.01 }], text: 'many' },
    { datasetSha256: digest },
  ];

  const explain = async (text: string, values: readonly unknown[]): Promise<{ plan: string; ms: number }> => {
    const client = await connect(app.databaseUrl);
    try {
      await client.query('begin; set local role app_reader');
      await client.query(`select set_config('app.workspace_id', $1, true)`, [app.workspaceId]);
      const { rows } = await client.query<{ 'QUERY PLAN': string }>(`explain analyze ${text}`, [...values]);
      const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
      return { plan, ms: Number(/Execution Time: ([\d.]+)/.exec(plan)?.[1]) };
    } finally {
      await client.end();
    }
  };

  /** Small tables are read as a whole, which is right; the large ones must not be. */
  const large =
    /Seq Scan on (model_version|version_metric|registry_word|model_tag|model_alias|registered_model)\b/;

  test.each(filters)('versions are found without reading all of them: %j', async (filter) => {
    const conditions = versionConditions(versionFilter.parse(filter));
    const { text, values } = searchStatement(versionSelect, 'v', conditions, { first: 50 });
    const { plan } = await explain(text, values);

    expect(plan).not.toMatch(large);
  });

  test.each([{}, { text: 'word7' }, { name: 'many 9' }, { alias: 'candidate' }, { createdBy: 'x' }])(
    'models are found without reading all of them: %j',
    async (filter) => {
      const conditions = modelConditions(modelFilter.parse(filter));
      const { text, values } = searchStatement(modelSelect, 'm', conditions, { first: 50 });
      const { plan } = await explain(text, values);

      expect(plan).not.toMatch(large);
    },
  );
});
