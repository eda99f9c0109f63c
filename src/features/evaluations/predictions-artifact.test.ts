import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { givenEnsemble, givenUseCase, referenceFiles } from '../../testing/given-version.js';
import { testApp } from '../../testing/test-app.js';

const START = `mutation ($input: EvaluationStartInput!) { startEvaluation(input: $input) { id } }`;
const EVIDENCE = `query ($versionId: ID!) { evidence(versionId: $versionId) {
  nodes { kind provenance result { figures { name value n } } } } }`;

interface Shown {
  readonly kind: string;
  readonly provenance: string;
  readonly result: { readonly figures: readonly { name: string; value: number | null; n: number | null }[] };
}

test('the table may be an artifact of the version, packed or not', async () => {
  const app = await testApp();
  const files = await referenceFiles('1.0.0', { data: true });
  const lines = gunzipSync(files.get('data/adult-heldout.csv.gz') ?? Buffer.of())
    .toString()
    .split('\n');
  const withScore = (line: string, row: number): string =>
    `${line},${row === 0 ? 'score' : line.endsWith('1') ? '0.9' : '0.2'}`;
  files.set('predictions.csv', Buffer.from(lines.slice(0, 2001).map(withScore).join('\n')));
  const { versionId } = await givenEnsemble(app, { files });
  const useCaseId = await givenUseCase(app);
  await app.drainJobs();

  const predictions = {
    artifactPath: 'predictions.csv',
    score: 'score',
    outcome: 'income_above_50k',
    groups: ['sex', 'race'],
    positive: '1',
  };
  const input = { versionId, useCaseId, predictions };
  const { errors } = await app.graphql(await app.actor('engineer'), START, { input });
  expect(errors).toEqual([]);
  await app.drainJobs();

  const { data } = await app.graphql<{ evidence: { nodes: Shown[] } }>(await app.actor('auditor'), EVIDENCE, {
    versionId,
  });
  const found = new Map((data?.evidence.nodes ?? []).map((one) => [one.kind, one]));
  const accuracy = found.get('PERFORMANCE')?.result.figures.find(({ name }) => name === 'accuracy');
  expect(accuracy).toMatchObject({ value: 1, n: 2000 });
  expect(found.get('FAIRNESS')?.provenance).toBe('SUBMITTED');
  expect(found.get('FAIRNESS')?.result.figures.map(({ name }) => name)).toContain(
    'sex & race.selectionRate.ratio',
  );
}, 60_000);
