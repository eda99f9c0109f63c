import { beforeAll, describe, expect, test } from 'vitest';
import { givenChampion, givenNextVersion, givenPromotable } from '../../testing/given-change.js';
import { givenMeasured } from '../../testing/given-evidence.js';
import { givenAssessment } from '../../testing/given-risk.js';
import { givenUseCase, givenVersion } from '../../testing/given-version.js';
import { testApp, type TestApp } from '../../testing/test-app.js';
import { createModelVersion, setTag, submitModelVersion } from '../registry/index.js';
import { updateCard } from './index.js';

let app: TestApp;
beforeAll(async () => {
  app = await testApp();
});

interface Place {
  readonly versionId: string;
  readonly useCaseId: string;
}

interface Field {
  readonly name: string;
  readonly value: unknown;
  readonly source: string;
  readonly evidence: string | null;
  readonly byName: string | null;
  readonly howToFill: string | null;
}

const CARD = `query ($versionId: ID!, $useCaseId: ID!, $revision: Int, $at: DateTimeISO) {
  card(versionId: $versionId, useCaseId: $useCaseId, revision: $revision, at: $at) { revision at
    fields { name value source evidence byName howToFill } } }`;
const COMPARE = `query ($from: CardCompareFromInput!, $to: CardCompareToInput!) { compareCards(from: $from, to: $to) {
  differences { name governed from { value source } to { value source } } } }`;
const COMPLETE = `query ($versionId: ID!, $useCaseId: ID!, $frameworks: [String!]) {
  cardCompleteness(versionId: $versionId, useCaseId: $useCaseId, frameworks: $frameworks) {
    framework status score requirements { id state } missingMandatory { name howToFill } } }`;

const given = async (): Promise<Place> => {
  const { versionId } = await givenVersion(app);
  return { versionId, useCaseId: await givenUseCase(app) };
};

const write = async (place: Place, values: Readonly<Record<string, unknown>>): Promise<{ id: string }> =>
  app.run(updateCard, await app.actor('engineer'), {
    ...place,
    fields: Object.entries(values).map(([name, value]) => ({ name, value })),
  });

const read = async (place: Place, moment: object = {}): Promise<ReadonlyMap<string, Field>> => {
  const auditor = await app.actor('auditor');
  const { data, errors } = await app.graphql<{ card: { fields: Field[] } }>(auditor, CARD, {
    ...place,
    ...moment,
  });
  if (!data) throw new Error(errors[0]?.message);
  return new Map(data.card.fields.map((field) => [field.name, field]));
};

const compare = async (from: object, to: object) => {
  interface Answer {
    compareCards: { differences: { name: string; from: { value: unknown }; to: { value: unknown } }[] };
  }
  const { data } = await app.graphql<Answer>(await app.actor('auditor'), COMPARE, { from, to });
  return data?.compareCards.differences ?? [];
};

describe('structured values', () => {
  const good = {
    users: ['Clerks', 'Reviewers'],
    licence: { identifier: 'Apache-2.0' },
    risks: [{ name: 'Delay', mitigation: 'Reviewers' }],
    links: [{ url: 'https://example.com/paper' }],
    learningApproach: 'supervised',
    energy: [{ activity: 'training', kWh: 0.4 }],
    monitoringThresholds: [{ measure: 'psi', comparison: 'AT_MOST', limit: 0.2, action: 'refer all' }],
  };

  test('are kept in their shape, with who said so', async () => {
    const place = await given();
    await write(place, good);

    const card = await read(place);
    for (const [name, value] of Object.entries(good))
      expect(card.get(name)).toMatchObject({ value, source: 'ATTESTED', byName: 'engineer' });
  });

  test('that are the same in another order of keys change nothing', async () => {
    const place = await given();
    const { id } = await write(place, good);
    await write(place, { risks: [{ mitigation: 'Reviewers', name: 'Delay' }] });

    expect(await app.trail(id)).toHaveLength(1);
  });

  test.each([
    ['a text where a list is asked', { users: 'Clerks' }],
    ['a list where a text is asked', { intendedUse: ['Routing'] }],
    ['an address that runs something', { links: [{ url: 'javascript:alert(1)' }] }],
    ['a key that nobody asked for', { risks: [{ name: 'Delay', colour: 'red' }] }],
    ['an option that is none', { learningApproach: 'by heart' }],
    ['a licence of two kinds', { licence: { identifier: 'MIT', text: 'Ours' } }],
    ['less energy than none', { energy: [{ activity: 'training', kWh: -1 }] }],
    ['a list without end', { users: Array.from({ length: 101 }, () => 'x') }],
  ])('are not %s', async (_, values) => {
    await expect(write(await given(), values)).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  });

  test('do not make a card larger than a card may be', async () => {
    const place = await given();
    const long = 'x'.repeat(19_000);
    const names = ['interactions', 'hardware', 'validation', 'roles', 'biasAudit', 'cybersecurity'];
    await write(place, Object.fromEntries(names.map((name) => [name, long])));
    const more = ['designChoices', 'architecture', 'personalData', 'metricChoice', 'marketForms'];

    await expect(write(place, Object.fromEntries(more.map((name) => [name, long])))).rejects.toMatchObject({
      details: { fields: [{ path: 'fields' }] },
    });
  });

  test('rest on evidence about this version only', async () => {
    const place = await given();
    const evidence = await givenMeasured(app, place, 'FAIRNESS');
    const fields = [{ name: 'biasAudit', value: 'By Acme Audits', evidence }];
    const engineer = await app.actor('engineer');

    await app.run(updateCard, engineer, { ...place, fields });
    expect((await read(place)).get('biasAudit')).toMatchObject({ evidence });
    const elsewhere = app.run(updateCard, engineer, { ...(await given()), fields });
    await expect(elsewhere).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

test('a card fills itself wherever the registry knows', async () => {
  const engineer = await app.actor('engineer');
  const { modelId, versionId: parentVersionId } = await givenVersion(app);
  const { id: versionId } = await app.run(createModelVersion, engineer, {
    ...{ modelId, parentVersionId, description: 'Second', run: 'run-7', codeCommit: 'abc' },
    metrics: { auc: 0.9 },
    params: { depth: '6' },
    datasets: [{ name: 'adult', sha256: 'a'.repeat(64), role: 'train' }],
  });
  await app.run(submitModelVersion, engineer, { versionId });
  await app.run(setTag, engineer, { modelId, versionId, key: 'team', value: 'risk' });
  const place = { versionId, useCaseId: await givenUseCase(app) };
  await givenAssessment(app, await app.actor('owner'), place.useCaseId, { legal: ['annex-iii-5'] });
  const performance = await givenMeasured(app, place, 'PERFORMANCE');
  const fairness = await givenMeasured(app, place, 'FAIRNESS');

  const card = await read(place);

  const values = (name: string): unknown => card.get(name)?.value;
  expect(card.get('digest')).toMatchObject({ source: 'AUTO', byName: 'engineer' });
  expect(values('version')).toBe(2);
  expect(values('parent')).toMatchObject({ versionId: parentVersionId, version: 1 });
  expect(values('previousVersion')).toMatchObject({ previous: { version: 1 }, lastApproved: null });
  expect(values('datasets')).toMatchObject([{ name: 'adult', role: 'train', rows: null }]);
  expect(values('tags')).toEqual([{ key: 'team', value: 'risk' }]);
  expect(values('owners')).toEqual([{ name: 'owner' }]);
  expect(values('riskAssessment')).toMatchObject({ number: 1, tier: 'HIGH' });
  expect(card.get('performance')).toMatchObject({ evidence: performance });
  expect(values('performance')).toMatchObject({
    verdict: 'PASS',
    figures: expect.arrayContaining([
      expect.objectContaining({ name: 'accuracy', n: 12211, low: 0.84 }),
    ]) as object,
  });
  expect(card.get('performanceBySlice')).toMatchObject({ evidence: fairness });
  expect(values('impactRatios')).toMatchObject({
    rows: [
      { group: 'Female', selectionRate: 0.1, impactRatio: 0.4, comparedWith: 'Male' },
      { group: 'Male', impactRatio: null },
    ],
    unknown: [{ attribute: 'sex', n: 7 }],
  });
  expect(values('eventLog')).toMatchObject({ entries: expect.any(Number) as number });
  expect(values('openFindings')).toEqual([]);
  expect(card.get('licence')).toMatchObject({ source: 'UNKNOWN', value: null });
  expect(card.get('licence')?.howToFill).toContain('updateCard');
});

test('what was approved, by whom, and what changed since stands in the card of the next version', async () => {
  const first = await givenPromotable(app);
  await givenChampion(app, first);
  const next = await givenNextVersion(app, first.engineer, first.modelId);
  const { useCaseId } = first;
  await write({ versionId: next, useCaseId }, { intendedUse: 'Something else' });

  const approved = await read({ versionId: first.versionId, useCaseId });
  const card = await read({ versionId: next, useCaseId });

  expect(approved.get('approvals')?.value).toMatchObject([
    { role: 'compliance', verdict: 'APPROVE', alias: 'champion', valid: true, policyRevision: 0 },
    { role: 'validator', byName: 'validator' },
  ]);
  expect(approved.get('aliases')?.value).toMatchObject([{ name: 'champion' }]);
  expect(approved.get('changesSinceApproved')).toMatchObject({ source: 'UNKNOWN' });
  expect(card.get('previousVersion')?.value).toMatchObject({
    lastApproved: { version: 1, alias: 'champion' },
  });
  expect(card.get('changesSinceApproved')?.value).toEqual(
    expect.arrayContaining([
      { field: 'intendedUse', label: 'Intended use', change: 'from as agreed to Something else' },
      { field: 'humanOversight', label: 'Human oversight', change: 'from as agreed to unknown' },
    ]),
  );
});

describe('every edit', () => {
  test('is a revision that can be read, compared and attributed', async () => {
    const place = await given();
    await write(place, { intendedUse: 'One', contact: 'team' });
    app.clock.advance(60_000);
    const between = app.clock.now();
    app.clock.advance(60_000);
    const compliance = await app.actor('compliance');
    await app.run(updateCard, compliance, {
      ...place,
      fields: [
        { name: 'intendedUse', value: 'Two' },
        { name: 'contact', value: null },
      ],
    });

    interface Page {
      cardRevisions: { nodes: object[]; pageInfo: { hasNextPage: boolean } };
    }
    const { data } = await app.graphql<Page>(
      await app.actor('auditor'),
      `query ($versionId: ID!, $useCaseId: ID!) { cardRevisions(versionId: $versionId, useCaseId: $useCaseId) {
         nodes { revision changed madeByName } pageInfo { hasNextPage } } }`,
      { ...place },
    );
    expect(data?.cardRevisions).toEqual({
      nodes: [
        { revision: 2, changed: ['intendedUse', 'contact'], madeByName: 'compliance' },
        { revision: 1, changed: ['intendedUse', 'contact'], madeByName: 'engineer' },
      ],
      pageInfo: { hasNextPage: false },
    });
    for (const moment of [{ revision: 1 }, { at: between.toISOString() }])
      expect((await read(place, moment)).get('intendedUse')).toMatchObject({ value: 'One' });
    expect(await compare({ ...place, revision: 1 }, place)).toMatchObject([
      { name: 'contact', from: { value: 'team' }, to: { value: null } },
      { name: 'intendedUse', governed: true, from: { value: 'One' }, to: { value: 'Two' } },
    ]);
  });

  test('shows evidence that came after it in no earlier card', async () => {
    const place = await given();
    await write(place, { contact: 'team' });
    app.clock.advance(60_000);
    await givenMeasured(app, place, 'PERFORMANCE');

    expect((await read(place, { revision: 1 })).get('performance')).toMatchObject({ source: 'UNKNOWN' });
    expect((await read(place)).get('performance')).toMatchObject({ source: 'AUTO' });
  });

  test('stays as it was made, even before the rights of a command', async () => {
    await write(await given(), { contact: 'team' });
    const session = { workspaceId: app.workspaceId, organizationId: app.organizationId, commandId: null };
    await expect(
      app.db.transact('app_writer', session, (tx) => tx.sql(`update card_revision set made_by = 'x'`)),
    ).rejects.toMatchObject({ code: '42501' });
  });
});

test('two versions are compared field by field', async () => {
  const { modelId, versionId } = await givenVersion(app);
  const second = await givenVersion(app, { modelId, parentVersionId: versionId });
  const useCaseId = await givenUseCase(app);
  await write({ versionId, useCaseId }, { limitations: 'Old data' });

  const differences = await compare({ versionId, useCaseId }, { versionId: second.versionId, useCaseId });

  const of = (name: string) => differences.find((one) => one.name === name);
  expect(of('version')).toMatchObject({ from: { value: 1 }, to: { value: 2 } });
  expect(of('limitations')).toMatchObject({
    from: { value: 'Old data' },
    to: { value: null, source: 'UNKNOWN' },
  });
  expect(of('modelName')).toBeUndefined();
});

describe('a card is not read', () => {
  test.each([
    ['at a revision that it does not have', CARD, { revision: 7 }, 'NOT_FOUND'],
    [
      'at a revision and a time at once',
      CARD,
      { revision: 1, at: '2026-01-01T00:00:00.000Z' },
      'INVALID_INPUT',
    ],
    ['of a version of nowhere', CARD, { versionId: crypto.randomUUID() }, 'NOT_FOUND'],
    ['before a framework that is none', COMPLETE, { frameworks: ['astrology'] }, 'INVALID_INPUT'],
  ])('%s', async (_, document, change, code) => {
    const answer = await app.graphql(await app.actor('auditor'), document, { ...(await given()), ...change });
    expect(answer.code).toBe(code);
  });
});

test('completeness names for each framework what is missing and how it comes', async () => {
  const place = await given();
  await write(place, { intendedUse: 'Routing', provider: 'Acme' });

  interface Answer {
    cardCompleteness: {
      framework: string;
      status: string;
      score: number;
      requirements: { id: string; state: string }[];
      missingMandatory: { name: string; howToFill: string }[];
    }[];
  }
  const auditor = await app.actor('auditor');
  const all = await app.graphql<Answer>(auditor, COMPLETE, { ...place });
  const one = await app.graphql<Answer>(auditor, COMPLETE, { ...place, frameworks: ['eu-ai-act-annex-iv'] });

  expect(all.data?.cardCompleteness).toHaveLength(7);
  const [annex] = one.data?.cardCompleteness ?? [];
  expect(annex).toMatchObject({ framework: 'eu-ai-act-annex-iv', status: 'INCOMPLETE' });
  expect(annex?.requirements.find(({ id }) => id === '1.a')?.state).toBe('MET');
  expect(annex?.missingMandatory).toContainEqual({
    name: 'hardware',
    howToFill: 'Attest hardware with `updateCard`: a text.',
  });
  expect(annex?.missingMandatory).toContainEqual({
    name: 'performance',
    howToFill: 'Start an evaluation with `startEvaluation`.',
  });
});
