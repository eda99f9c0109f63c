import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { givenCard, givenChampion, givenEvidence, givenPromotable } from '../../testing/given-change.js';
import { freshName, givenModel, givenVersion, putArtifact } from '../../testing/given-version.js';
import { testApp, type TestApp } from '../../testing/test-app.js';
import { createEndpoint } from '../deployments/index.js';
import { createDataset, createDatasetVersion } from '../datasets/index.js';
import { updateCard } from '../cards/index.js';
import { createModelVersion, deleteModelVersion, recordIntake, submitModelVersion } from './index.js';

let app: TestApp;
beforeAll(async () => {
  app = await testApp();
});

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

const section = 'differences { name change from to } unchanged';
const COMPARE = `query ($from: ID!, $to: ID!, $use: ID) { compareVersions(fromVersionId: $from, toVersionId: $to, useCaseId: $use) {
  from { version } to { version } sameContent
  metrics { ${section} } params { ${section} } signature { ${section} } datasets { ${section} } artifacts { ${section} }
  card { differences { name from { value source } to { value source } } } evidence { ${section} } } }`;

const compare = async (from: string, to: string, use: string | null = null) => {
  const { data, code } = await app.graphql<{ compareVersions: Record<string, unknown> }>(
    await app.actor('auditor'),
    COMPARE,
    { from, to, use },
  );
  return { code, compared: data?.compareVersions };
};

test('two versions are held against each other entry by entry', async () => {
  const engineer = await app.actor('engineer');
  const modelId = await givenModel(app, 'EXTERNAL');
  const made = async (input: object, files: Record<string, string>): Promise<string> => {
    const { id } = await app.run(createModelVersion, engineer, { modelId, ...input });
    for (const [path, content] of Object.entries(files)) await putArtifact(app, engineer, id, path, content);
    return id;
  };
  const data = (name: string, content: string) => ({ name, sha256: sha256(content), role: 'train' });
  const from = await made(
    {
      metrics: { auc: 0.8, loss: 1 },
      params: { depth: '3', seed: '1' },
      datasets: [data('a', 'one'), data('b', 'two')],
    },
    { 'notes.txt': 'old', 'same.txt': 'same' },
  );
  const to = await made(
    {
      metrics: { auc: 0.9, f1: 0.7 },
      params: { depth: '3', rate: '0.1' },
      datasets: [data('a', 'new'), data('b', 'two')],
    },
    { 'notes.txt': 'new', 'same.txt': 'same', 'more.txt': 'more' },
  );

  const { compared } = await compare(from, to);

  expect(compared).toMatchObject({
    from: { version: 1 },
    to: { version: 2 },
    sameContent: false,
    metrics: {
      unchanged: 0,
      differences: [
        { name: 'auc', change: 'CHANGED', from: 0.8, to: 0.9 },
        { name: 'f1', change: 'ADDED', from: null, to: 0.7 },
        { name: 'loss', change: 'REMOVED', from: 1, to: null },
      ],
    },
    params: {
      unchanged: 1,
      differences: [
        { name: 'rate', change: 'ADDED' },
        { name: 'seed', change: 'REMOVED' },
      ],
    },
    datasets: { unchanged: 1, differences: [{ name: 'train a', from: sha256('one'), to: sha256('new') }] },
    artifacts: {
      unchanged: 1,
      differences: [
        { name: 'more.txt', change: 'ADDED' },
        { name: 'notes.txt', change: 'CHANGED' },
      ],
    },
    card: null,
    evidence: null,
  });
});

test('in a use case, cards and evidence are held against each other as they stand', async () => {
  const given = await givenPromotable(app);
  const { versionId: other } = await givenVersion(app, { modelId: given.modelId });
  const place = { versionId: other, useCaseId: given.useCaseId };
  await givenEvidence(app, place, { PERFORMANCE: 'FAIL' });
  await app.run(updateCard, given.engineer, {
    ...place,
    fields: [{ name: 'intendedUse', value: 'as agreed' }],
  });

  const { compared } = await compare(given.versionId, other, given.useCaseId);

  expect(compared).toMatchObject({
    card: {
      differences: expect.arrayContaining(
        ['humanOversight', 'limitations'].map((name): unknown =>
          expect.objectContaining({
            name,
            from: { value: expect.any(String) as string, source: 'ATTESTED' },
            to: { value: null, source: 'UNKNOWN' },
          }),
        ),
      ) as unknown,
    },
    evidence: {
      differences: [
        { name: 'ATTRIBUTION', change: 'REMOVED' },
        { name: 'FAIRNESS', change: 'REMOVED' },
        { name: 'PERFORMANCE', change: 'CHANGED', from: { verdict: 'PASS' }, to: { verdict: 'FAIL' } },
      ],
    },
  });
  expect(compared?.card).not.toMatchObject({
    differences: expect.arrayContaining([expect.objectContaining({ name: 'intendedUse' })]) as unknown,
  });
});

test('what is not there, or was deleted, is not compared', async () => {
  const { versionId, modelId } = await givenVersion(app);
  const { versionId: gone } = await givenVersion(app, { modelId });
  await app.run(deleteModelVersion, await app.actor('engineer'), { versionId: gone });

  expect((await compare(versionId, gone)).code).toBe('NOT_FOUND');
  expect((await compare(versionId, app.workspaceId)).code).toBe('NOT_FOUND');
});

const LINEAGE = `query ($versionId: ID, $datasetVersionId: ID, $direction: LineageDirection, $depth: Int, $most: Int) {
  lineage(versionId: $versionId, datasetVersionId: $datasetVersionId, direction: $direction, depth: $depth, most: $most) {
    root truncated nodes { key kind label id deleted } edges { from to kind label } } }`;

interface Graph {
  readonly root: string;
  readonly truncated: boolean;
  readonly nodes: readonly { key: string; kind: string; label: string; deleted: boolean }[];
  readonly edges: readonly { from: string; to: string; kind: string; label: string }[];
}

const lineage = async (variables: object): Promise<Graph> => {
  const { data, errors } = await app.graphql<{ lineage: Graph }>(await app.actor('auditor'), LINEAGE, {
    ...variables,
  });
  if (!data) throw new Error(JSON.stringify(errors));
  return data.lineage;
};

const labels = ({ nodes }: Graph): string[] => nodes.map(({ kind, label }) => `${kind} ${label}`).sort();
const kinds = ({ edges }: Graph): string[] => edges.map(({ kind }) => kind).sort();

describe('a lineage', () => {
  test('leads up to run, commit, data and parent, and down to aliases and endpoints', async () => {
    const given = await givenPromotable(app);
    const { engineer, modelId } = given;
    const name = freshName('census');
    const { id: datasetId } = await app.run(createDataset, engineer, { name });
    const reference = { uri: 's3://lake/x', sha256: sha256('registered') };
    const { id: datasetVersionId } = await app.run(createDatasetVersion, engineer, { datasetId, reference });
    const datasets = [
      { role: 'train', datasetVersionId },
      { role: 'heldout', name: 'loose.csv', sha256: sha256('loose') },
    ];
    const input = { modelId, datasets, run: 'run-7', codeCommit: 'c0ffee', parentVersionId: given.versionId };
    const { id: versionId } = await app.run(createModelVersion, engineer, input);
    await app.run(submitModelVersion, engineer, { versionId });
    await givenEvidence(
      app,
      { ...given, versionId },
      { PERFORMANCE: 'PASS', FAIRNESS: 'PASS', ATTRIBUTION: 'PASS' },
    );
    await givenCard(app, { ...given, versionId });
    await givenChampion(app, { ...given, versionId });
    const slug = freshName('door');
    const place = { slug, name: 'Door', useCaseId: given.useCaseId, modelId, alias: 'Champion' };
    await app.run(createEndpoint, given.owner, place);

    const graph = await lineage({ versionId });

    const model = graph.nodes[0]?.label.slice(0, -2) ?? '';
    expect(labels(graph)).toEqual(
      [
        `ALIAS ${model}@champion`,
        'COMMIT c0ffee',
        `DATASET ${name} 1`,
        'DATASET loose.csv',
        `ENDPOINT ${slug}`,
        'RUN run-7',
        `VERSION ${model} 1`,
        `VERSION ${model} 2`,
      ].sort(),
    );
    expect(kinds(graph)).toEqual([
      'CODED',
      'DERIVED',
      'MADE_FROM',
      'MADE_FROM',
      'NAMED',
      'SERVED',
      'TRAINED',
    ]);
    expect(graph).toMatchObject({ root: `version:${versionId}`, truncated: false });
    const fromData = await lineage({ datasetVersionId });
    expect(labels(fromData)).toContain(`ENDPOINT ${slug}`);
  });

  test('knows the members of an ensemble, and the ensembles of a member', async () => {
    const engineer = await app.actor('engineer');
    const onnx = freshName('bytes');
    const { modelId: memberModel } = await givenVersion(app);
    const { id: member } = await app.run(createModelVersion, engineer, { modelId: memberModel });
    await putArtifact(app, engineer, member, 'model.onnx', onnx);
    const { id: ensemble } = await app.run(createModelVersion, engineer, { modelId: await givenModel(app) });
    await putArtifact(app, engineer, ensemble, 'one.onnx', onnx);
    await putArtifact(app, engineer, ensemble, 'two.onnx', `${onnx}-2`);
    const signature = { kind: 'ensemble', inputs: [], outputs: [], members: ['one', 'two'] };
    await app.run(submitModelVersion, engineer, { versionId: ensemble });
    await app.run(recordIntake, app.system('job:test'), {
      versionId: ensemble,
      state: 'READY',
      message: 'checked',
      signature,
      intake: {},
    });

    const up = await lineage({ versionId: ensemble, direction: 'UP' });
    const down = await lineage({ versionId: member, direction: 'DOWN' });

    expect(up.edges.map(({ from, kind, label }) => [from, kind, label])).toEqual([
      [`version:${member}`, 'MEMBER_OF', 'one.onnx'],
      [`file:${sha256(`${onnx}-2`)}`, 'MEMBER_OF', 'two.onnx'],
    ]);
    expect(down.edges).toMatchObject([
      { from: `version:${member}`, to: `version:${ensemble}`, kind: 'MEMBER_OF' },
    ]);
  });

  test('ends where it was asked to end, and says that there is more', async () => {
    const chain: string[] = [];
    const modelId = await givenModel(app, 'EXTERNAL');
    for (let index = 0; index < 5; index += 1) {
      const parentVersionId = chain.at(-1);
      chain.push(
        (await givenVersion(app, { modelId, ...(parentVersionId ? { parentVersionId } : {}) })).versionId,
      );
    }
    const versionId = chain[4];

    const whole = await lineage({ versionId, direction: 'UP', depth: 4 });
    const short = await lineage({ versionId, direction: 'UP', depth: 2 });
    const few = await lineage({ versionId, direction: 'UP', depth: 4, most: 3 });

    expect([whole.nodes.length, whole.truncated]).toEqual([5, false]);
    expect([short.nodes.length, short.truncated]).toEqual([3, true]);
    expect([few.nodes.length, few.truncated]).toEqual([3, true]);
  });

  test('goes on over what was deleted, and shows it as such', async () => {
    const { modelId, versionId } = await givenVersion(app);
    const { versionId: child } = await givenVersion(app, { modelId, parentVersionId: versionId });
    await app.run(deleteModelVersion, await app.actor('engineer'), { versionId });

    const { nodes } = await lineage({ versionId: child, direction: 'UP' });
    expect(nodes.map(({ deleted }) => deleted)).toEqual([false, true]);
  });

  test('leaves out what one may not read', async () => {
    const given = await givenPromotable(app);
    await givenChampion(app, given);
    const auditor = await app.actor('auditor');
    const narrow = { ...auditor, scopes: ['modelVersion:read' as const] };

    const { data } = await app.graphql<{ lineage: Graph }>(narrow, LINEAGE, { versionId: given.versionId });
    expect(data?.lineage.nodes.map(({ kind }) => kind)).toEqual(['VERSION']);
  });

  test.each([{}, { depth: 11 }, { most: 501 }, { depth: 0 }])(
    'is not asked for like this: %j',
    async (variables) => {
      const { versionId } = await givenVersion(app);
      const asked = Object.keys(variables).length === 0 ? {} : { versionId, ...variables };
      const { code } = await app.graphql(await app.actor('auditor'), LINEAGE, asked);
      expect(code).toBe('INVALID_INPUT');
    },
  );
});
