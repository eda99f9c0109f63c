import { beforeAll, describe, expect, test } from 'vitest';
import { givenEnsemble, givenUseCase, givenVersion } from '../../testing/given-version.js';
import { testApp, type TestApp } from '../../testing/test-app.js';

const heldout = 'data/adult-heldout.csv.gz';
const START = `mutation ($input: EvaluationStartInput!) { startEvaluation(input: $input) { id jobId } }`;

let app: TestApp;
let versionId: string;
let useCaseId: string;
beforeAll(async () => {
  app = await testApp();
  ({ versionId } = await givenEnsemble(app));
  useCaseId = await givenUseCase(app);
  await app.drainJobs();
}, 60_000);

describe('an evaluation is not started', () => {
  test.each([
    ['by an auditor', 'auditor', {}, 'FORBIDDEN'],
    ['on a file that the version does not have', 'engineer', { datasetPath: 'data/none.csv' }, 'NOT_FOUND'],
    ['for a use case that is not here', 'engineer', { useCaseId: crypto.randomUUID() }, 'NOT_FOUND'],
    ['without a path', 'engineer', { datasetPath: '' }, 'INVALID_INPUT'],
  ] as const)('%s', async (_, role, change, code) => {
    const input = { versionId, useCaseId, datasetPath: heldout, ...change };

    expect((await app.graphql(await app.actor(role), START, { input })).code).toBe(code);
  });

  test('on a version of another workspace', async () => {
    const stranger = await app.actor('engineer', {
      name: 'stranger',
      workspaceId: await app.otherWorkspace(),
    });

    const answer = await app.graphql(stranger, START, {
      input: { versionId, useCaseId, datasetPath: heldout },
    });

    expect(answer.code).toBe('NOT_FOUND');
  });

  test('on a version that did not pass intake', async () => {
    const { versionId: refused } = await givenEnsemble(app, { files: new Map([['model.onnx', 'no model']]) });
    await app.drainJobs({ tolerant: true });

    const answer = await app.graphql(await app.actor('engineer'), START, {
      input: { versionId: refused, useCaseId, datasetPath: heldout },
    });

    expect(answer.code).toBe('PRECONDITION_FAILED');
    expect(answer.errors[0]?.extensions?.['details']).toMatchObject({
      rule: 'version-ready',
      state: 'REJECTED',
    });
  });

  test('on a model without files, because there is nothing to score', async () => {
    const { versionId: external } = await givenVersion(app);

    const answer = await app.graphql(await app.actor('engineer'), START, {
      input: { versionId: external, useCaseId, datasetPath: heldout },
    });

    expect(answer.code).toBe('NOT_FOUND');
  });
});
