import { beforeAll, describe, expect, test } from 'vitest';
import type { UserActor } from '../../kernel/actor.js';
import {
  champion,
  decide,
  givenCard,
  givenChampion,
  givenEvidence,
  givenNextVersion,
  givenPromotable,
  givenRequest,
  type Given,
} from '../../testing/given-change.js';
import { givenPolicy, policyWith } from '../../testing/given-policy.js';
import { givenAssessment } from '../../testing/given-risk.js';
import { givenEnsemble } from '../../testing/given-version.js';
import { testApp, type TestApp } from '../../testing/test-app.js';
import { createDataset, createDatasetVersion, documentDatasetVersion } from '../datasets/index.js';
import { invalidateEvidence } from '../evaluations/index.js';
import { createModelVersion, setTag, submitModelVersion } from '../registry/index.js';
import type { CheckFacts, FactEvidence } from './check-facts.js';
import { checkRules, judgeChecks } from './check-rules.js';

let app: TestApp;
beforeAll(async () => {
  app = await testApp();
});

interface Shown {
  readonly name: string;
  readonly verdict: string;
  readonly message: string;
  readonly evidenceIds: readonly string[];
  readonly provenance: string;
  readonly permission: string;
}

const CHECKS = `query ($versionId: ID!, $useCaseId: ID!) {
  checks(versionId: $versionId, useCaseId: $useCaseId) { name verdict message evidenceIds provenance permission } }`;

const checksOf = async (given: Pick<Given, 'versionId' | 'useCaseId'>): Promise<Map<string, Shown>> => {
  const { versionId, useCaseId } = given;
  const { data, errors } = await app.graphql<{ checks: Shown[] }>(await app.actor('auditor'), CHECKS, {
    versionId,
    useCaseId,
  });
  expect(errors).toEqual([]);
  return new Map((data?.checks ?? []).map((one) => [one.name, one]));
};

const verdicts = (shown: ReadonlyMap<string, Shown>): Record<string, string> =>
  Object.fromEntries([...shown].map(([name, one]) => [name, one.verdict]));

test('a version of which nothing is known misses everything, and each check says what to do', async () => {
  const given = await givenPromotable(app, { bare: true });

  const shown = await checksOf(given);

  expect(verdicts(shown)).toEqual(Object.fromEntries(checkRules.map((rule) => [rule.name, 'MISSING'])));
  expect(shown.get('card-complete')?.message).toContain('updateCard');
  expect(shown.get('fairness-thresholds')).toMatchObject({
    message: 'There is no evidence of fairness; start an evaluation',
    permission: 'evaluation:start',
    evidenceIds: [],
    provenance: 'NONE',
  });
});

const givenData = async (engineer: UserActor, sha256: string, said: object = {}): Promise<string> => {
  const { id: datasetId } = await app.run(createDataset, engineer, { name: `data-${sha256.slice(0, 8)}` });
  const reference = { uri: 's3://data/x.csv', sha256, columns: [{ name: 'age', type: 'integer' }] };
  const documented = { licence: 'CC-BY-4.0', provenance: 'Census of 1994', ...said };
  return (await app.run(createDatasetVersion, engineer, { datasetId, reference, ...documented })).id;
};

test('what is known makes checks pass, and they name the evidence they rest on and where it comes from', async () => {
  const bare = await givenPromotable(app, { bare: true });
  const { engineer, modelId } = bare;
  const { id: versionId } = await app.run(createModelVersion, engineer, {
    modelId,
    codeCommit: '0123456789abcdef0123456789abcdef01234567',
    datasets: [{ name: 'adult', sha256: 'a'.repeat(64), role: 'train' }],
  });
  await app.run(submitModelVersion, engineer, { versionId });
  await givenData(engineer, 'a'.repeat(64));
  await givenAssessment(app, bare.owner, bare.useCaseId, { legal: ['annex-iii-4'] });
  await app.run(setTag, engineer, { modelId, versionId, key: 'licence', value: 'CC-BY-4.0' });
  const given = { ...bare, versionId };
  await givenCard(app, given);
  await givenEvidence(app, given, { PERFORMANCE: 'PASS', FAIRNESS: 'PASS', ATTRIBUTION: 'PASS' });

  const shown = await checksOf(given);

  expect(verdicts(shown)).toMatchObject({
    'fairness-thresholds': 'PASS',
    'performance-vs-champion': 'PASS',
    explainability: 'PASS',
    'card-complete': 'MISSING',
    'data-documented': 'PASS',
    'licence-and-supply-chain': 'PASS',
    drift: 'MISSING',
    'artifact-scan': 'MISSING',
    'use-case-assessed': 'PASS',
    'card-complete-nyc-ll144': 'MISSING',
  });
  expect(shown.get('fairness-thresholds')).toMatchObject({ provenance: 'SUBMITTED' });
  expect(shown.get('fairness-thresholds')?.evidenceIds).toHaveLength(1);
});

test('evidence past its date, drift that was reported and a champion that was never measured are told apart', async () => {
  const given = await givenPromotable(app);
  await givenChampion(app, given);
  const next = { ...given, versionId: await givenNextVersion(app, given.engineer, given.modelId) };
  await givenEvidence(app, next, { PERFORMANCE: 'PASS', FAIRNESS: 'PASS', ATTRIBUTION: 'FAIL' });
  await givenEvidence(app, next, { FAIRNESS: 'PASS' }, -1000);
  const { versionId, useCaseId } = given;
  const about = { versionId, useCaseId, cause: 'DRIFT', reason: 'Ages have moved' } as const;
  await app.run(invalidateEvidence, given.validator, about);

  expect(verdicts(await checksOf(next))).toMatchObject({
    'fairness-thresholds': 'STALE',
    explainability: 'FAIL',
    'performance-vs-champion': 'PASS',
  });
  expect((await checksOf(given)).get('drift')).toMatchObject({
    verdict: 'FAIL',
    message: 'Drift was reported: Ages have moved. Evaluate the version again',
  });
});

test('the files of a real ensemble that intake opened have been scanned', async () => {
  const { versionId } = await givenEnsemble(app);
  await app.drainJobs();

  const { useCaseId } = await givenPromotable(app, { bare: true });
  const scan = (await checksOf({ versionId, useCaseId })).get('artifact-scan');

  expect(scan).toMatchObject({ verdict: 'PASS', permission: 'artifact:upload' });
  expect(scan?.message).toMatch(/^\d+ files were looked through: 4 opened in a sandbox, 0 pickles followed/);
});

test('data counts as documented once all of it is registered with licence, provenance and its columns', async () => {
  const bare = await givenPromotable(app, { bare: true });
  const { engineer, modelId, useCaseId } = bare;
  const sha256 = 'b'.repeat(64);
  const { id: versionId } = await app.run(createModelVersion, engineer, {
    modelId,
    datasets: [{ name: 'loans', sha256, role: 'train' }],
  });
  const verdict = async () => (await checksOf({ versionId, useCaseId })).get('data-documented');

  expect(await verdict()).toMatchObject({
    verdict: 'MISSING',
    message: expect.stringContaining('loans is not registered') as unknown,
    permission: 'dataset:update',
  });
  const datasetVersionId = await givenData(engineer, sha256, { licence: null });
  expect(await verdict()).toMatchObject({
    verdict: 'MISSING',
    message: expect.stringContaining('loans has no licence') as unknown,
  });
  await app.run(documentDatasetVersion, engineer, { datasetVersionId, licence: 'CC0-1.0' });
  expect(await verdict()).toMatchObject({ verdict: 'PASS' });
});

test('the tier follows from the current assessment, or the check says what leads there', async () => {
  const given = await givenPromotable(app, { bare: true });
  const verdict = async () => (await checksOf(given)).get('use-case-assessed');
  expect(await verdict()).toMatchObject({ verdict: 'MISSING', permission: 'risk:assess' });

  // The use case was declared HIGH, the mildest answers give LOW: that needs a change request.
  await givenAssessment(app, given.owner, given.useCaseId);

  expect(await verdict()).toMatchObject({
    verdict: 'FAIL',
    message: expect.stringContaining('requestRiskTier') as unknown,
  });
});

test('a policy asks for a framework by name: the card is held against it, but for what the approval brings', async () => {
  const given = await givenPromotable(app);
  const asked = ['card-complete-iso-42001', 'card-complete-nyc-ll144'];
  await givenPolicy(app, policyWith({ checks: asked }));
  const CHECK = `query ($v: ID!, $u: ID!) { promotionCheck(versionId: $v, alias: "champion", useCaseId: $u) {
    requirements { rule state message } } }`;

  const { data } = await app.graphql<{ promotionCheck: { requirements: Requirement[] } }>(
    given.engineer,
    CHECK,
    {
      v: given.versionId,
      u: given.useCaseId,
    },
  );

  const found = (data?.promotionCheck.requirements ?? []).filter(({ rule }) => rule.startsWith('check.card'));
  expect(found.map(({ rule, state }) => [rule, state])).toEqual(
    asked.map((name) => [`check.${name}`, 'MISSING']),
  );
  expect(found.map(({ message }) => message).join()).not.toContain('Approvals');
  const id = await givenRequest(app, given);
  await decide(app, given.validator, id);
  await decide(app, given.compliance, id);
  expect(await champion(app, given.modelId)).toBeUndefined();
});

interface Requirement {
  readonly rule: string;
  readonly state: string;
  readonly message: string;
}

const evidence = (kind: FactEvidence['kind'], part: Partial<FactEvidence> = {}): FactEvidence => ({
  id: `${kind}-1`,
  kind,
  verdict: 'PASS',
  provenance: 'COMPUTED',
  resultSha256: '',
  limits: [],
  figures: [],
  ...part,
});

const facts = (part: Partial<CheckFacts>): CheckFacts => ({
  versionId: 'v',
  digest: null,
  state: 'READY',
  stateMessage: '',
  codeCommit: null,
  datasets: [],
  licence: null,
  intake: null,
  driftReason: null,
  evidence: new Map(),
  champion: null,
  card: {},
  frameworks: new Map(),
  assessment: null,
  ...part,
});

const judged = (name: string, part: Partial<CheckFacts>) =>
  judgeChecks(facts(part)).find((one) => one.rule.name === name);

const accuracy = (value: number) => [{ name: 'accuracy', label: 'Accuracy', value }];

describe('a check over facts', () => {
  const champion = (value: number) => ({
    versionId: 'c',
    version: 3,
    evidence: new Map([
      ['PERFORMANCE' as const, evidence('PERFORMANCE', { id: 'c-1', figures: accuracy(value) })],
    ]),
  });
  const mine = (value: number) =>
    new Map([['PERFORMANCE' as const, evidence('PERFORMANCE', { figures: accuracy(value) })]]);

  test.each([
    [
      'worse than the champion by more than a point',
      0.83,
      'FAIL',
      'Worse than version 3: accuracy is 83.0 %, that of the champion 85.0 %',
    ],
    ['within a point of it', 0.841, 'PASS', 'No worse than version 3'],
    ['better', 0.87, 'PASS', 'No worse than version 3'],
  ])('compares performance: %s', (_, value, verdict, message) => {
    expect(
      judged('performance-vs-champion', { evidence: mine(value), champion: champion(0.85) }),
    ).toMatchObject({
      verdict,
      message,
      evidenceIds: ['PERFORMANCE-1', 'c-1'],
      provenance: 'COMPUTED',
    });
  });

  test('names the limit between groups that is broken', () => {
    const limit = {
      figure: 'sex.truePositiveRate.difference',
      label: 'Equal opportunity',
      value: 0.14,
      comparison: 'AT_MOST',
      limit: 0.1,
      mode: 'ENFORCE',
      verdict: 'FAIL',
    };
    const broken = evidence('FAIRNESS', { verdict: 'FAIL', limits: [limit] });

    expect(judged('fairness-thresholds', { evidence: new Map([['FAIRNESS', broken]]) })).toMatchObject({
      verdict: 'FAIL',
      message: 'Equal opportunity is 0.14, limit 0.1',
    });
  });

  test('says what intake refused, and that faults are faults', () => {
    expect(judged('artifact-scan', { state: 'REJECTED', stateMessage: 'a pickle' })?.verdict).toBe('FAIL');
    const intake = {
      files: 3,
      opened: 2,
      pickles: 0,
      ownCode: 0,
      faults: 0,
      isModel: false,
      isCurrent: true,
    };
    const verdictOf = (part: Partial<typeof intake>) =>
      judged('artifact-scan', { intake: { ...intake, ...part } });
    expect(verdictOf({ faults: 1 })?.verdict).toBe('FAIL');
    expect(verdictOf({ opened: 0 })?.verdict).toBe('MISSING');
    expect(verdictOf({ opened: 0, isModel: true })?.verdict).toBe('PASS');
    expect(verdictOf({ isCurrent: false })?.verdict).toBe('STALE');
    expect(verdictOf({ opened: 0, pickles: 2, ownCode: 1 })).toMatchObject({
      verdict: 'PASS',
      message:
        '3 files were looked through: 0 opened in a sandbox, 2 pickles followed without loading; 1 of them carry code of their own',
    });
  });

  test('a framework names what is missing, the first five, and how many more', () => {
    const missing = ['A', 'B', 'C', 'D', 'E', 'F', 'G'];
    const frameworks = new Map([['iso-42001', { id: 'iso-42001', title: 'ISO', missing }]]);
    const complete = new Map([['iso-42001', { id: 'iso-42001', title: 'ISO', missing: [] }]]);

    expect(judged('card-complete-iso-42001', { frameworks })?.message).toContain('A, B, C, D, E and 2 more');
    expect(judged('card-complete-iso-42001', { frameworks: complete })?.verdict).toBe('PASS');
    expect(judged('card-complete-iso-42001', {})).toBeUndefined();
  });

  test('an assessment of an earlier questionnaire is out of date', () => {
    const assessment = { number: 2, tier: 'HIGH', tierInForce: 'HIGH', outdated: true } as const;
    expect(judged('use-case-assessed', { assessment })?.verdict).toBe('STALE');
  });

  test('has a name, a title and what it looks at, and every name is there once', () => {
    expect(new Set(checkRules.map((rule) => rule.name)).size).toBe(checkRules.length);
    expect(checkRules.every((rule) => rule.title !== '' && rule.describe !== '')).toBe(true);
  });
});
