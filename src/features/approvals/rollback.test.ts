import { beforeAll, describe, expect, test } from 'vitest';
import {
  champion,
  decide,
  givenCard,
  givenChampion,
  givenEvidence,
  givenNextVersion,
  givenPromotable,
  type Given,
} from '../../testing/given-change.js';
import type { UserActor } from '../../kernel/actor.js';
import { testApp, type TestApp } from '../../testing/test-app.js';
import { revokeAttestation } from '../attestations/index.js';
import { updateCard } from '../cards/index.js';
import { deleteModelVersion } from '../registry/index.js';
import { approvedVersion, createEndpoint } from '../deployments/index.js';
import { proposePolicy } from './index.js';
import { initialPolicy } from './policy-in-force.js';

let app: TestApp;
beforeAll(async () => {
  app = await testApp();
});

const ROLLBACK = `mutation ($input: AliasRollbackInput!) { rollbackAlias(input: $input) {
  executed number changeRequestId differences { entry } blockers { rule } } }`;

interface Rollback {
  readonly executed: boolean;
  readonly number: number;
  readonly changeRequestId: string;
  readonly differences: readonly { readonly entry: string }[];
  readonly blockers: readonly { readonly rule: string }[];
}

const rollback = async (actor: UserActor, input: object) => {
  const answer = await app.graphql<{ rollbackAlias: Rollback }>(actor, ROLLBACK, {
    input: { alias: 'champion', reason: 'It decides badly', ...input },
  });
  const details = answer.errors[0]?.extensions?.['details'] as { rule?: string } | undefined;
  return { code: answer.code, rule: details?.rule, done: answer.data?.rollbackAlias };
};

interface Two {
  readonly first: Given;
  readonly second: Given;
  readonly firstRequest: string;
}

/** A model whose champion moved from one approved version to the next. */
const givenTwo = async (): Promise<Two> => {
  const first = await givenPromotable(app);
  const firstRequest = await givenChampion(app, first);
  const second = { ...first, versionId: await givenNextVersion(app, first.engineer, first.modelId) };
  await givenCard(app, second);
  await givenEvidence(app, second, { PERFORMANCE: 'PASS', FAIRNESS: 'PASS', ATTRIBUTION: 'PASS' });
  await givenChampion(app, second);
  return { first, second, firstRequest };
};

test('while all that was approved holds, one person moves the alias back, and the trail names the approval', async () => {
  const { first, firstRequest } = await givenTwo();

  const { done } = await rollback(first.owner, { modelId: first.modelId });

  expect(done).toMatchObject({
    executed: true,
    changeRequestId: firstRequest,
    differences: [],
    blockers: [],
  });
  expect(await champion(app, first.modelId)).toBe(first.versionId);
  const { data } = await app.graphql<{ auditEvents: { nodes: Told[] } }>(
    await app.actor('auditor'),
    `{ auditEvents(command: "alias.rollback", first: 10) { nodes { outcome subject { kind } facts } } }`,
  );
  const told = data?.auditEvents.nodes ?? [];
  expect(told.find(({ subject }) => subject?.kind === 'alias')).toMatchObject({
    outcome: 'done',
    facts: {
      changeRequestId: firstRequest,
      rollback: { changeRequest: done?.number, reason: 'It decides badly' },
    },
  });
});

interface Told {
  readonly outcome: string;
  readonly subject: { readonly kind: string } | null;
  readonly facts: object;
}

interface Proof {
  readonly id: string;
  readonly number: number;
  readonly state: string;
}

/** The newest attestation of a version. */
const proofOf = async (versionId: string): Promise<Proof> => {
  const { data } = await app.graphql<{ attestation: Proof }>(
    await app.actor('auditor'),
    `query ($id: ID!) { attestation(versionId: $id, alias: "champion") { id number state } }`,
    { id: versionId },
  );
  if (!data) throw new Error('The version has no attestation');
  return data.attestation;
};

test('a rollback leaves an attestation like any change that was carried out, in its transaction', async () => {
  const { first, second } = await givenTwo();
  const former = await proofOf(first.versionId);
  const replaced = await proofOf(second.versionId);

  await rollback(first.owner, { modelId: first.modelId });

  const now = await proofOf(first.versionId);
  expect(former.state).toBe('REVOKED');
  expect(replaced.state).toBe('VALID');
  expect(now).toMatchObject({ state: 'VALID' });
  expect(now.number).toBeGreaterThan(replaced.number);
  expect((await proofOf(second.versionId)).state).toBe('REVOKED');
  expect((await app.trail(now.id)).map(({ command }) => command)).toEqual(['alias.rollback']);
});

test('what an endpoint serves after it counts as approved, and going forth again works as going back', async () => {
  const { first, second } = await givenTwo();
  await rollback(first.compliance, { modelId: first.modelId, versionId: first.versionId });
  const place = { slug: `back-${first.modelId}`.slice(0, 40), modelId: first.modelId, alias: 'champion' };
  await app.run(createEndpoint, first.owner, { ...place, name: 'Back', useCaseId: first.useCaseId });

  const session = { workspaceId: app.workspaceId, organizationId: app.organizationId, commandId: null };
  const served = await app.db.transact('app_reader', session, (db) =>
    approvedVersion(db, { ...place, useCaseId: first.useCaseId }, app.clock.now()),
  );
  const forth = await rollback(first.owner, { modelId: first.modelId });

  expect(served?.id).toBe(first.versionId);
  expect(forth.done?.executed).toBe(true);
  expect(await champion(app, first.modelId)).toBe(second.versionId);
});

const broken: readonly (readonly [string, string, (two: Two) => Promise<unknown>])[] = [
  [
    'the card says something else',
    'card.intendedUse',
    ({ first }) =>
      app.run(updateCard, first.engineer, {
        versionId: first.versionId,
        useCaseId: first.useCaseId,
        fields: [{ name: 'intendedUse', value: 'another use' }],
      }),
  ],
  [
    'newer evidence is worse',
    'evidence.FAIRNESS',
    ({ first }) => givenEvidence(app, first, { FAIRNESS: 'FAIL' }),
  ],
  [
    'the evidence is out of date',
    'evidence.PERFORMANCE',
    () => {
      app.clock.advance(91 * 86_400_000);
      return Promise.resolve();
    },
  ],
];

describe('when something no longer holds, a request is opened instead and nothing moves:', () => {
  test.each(broken)('%s', async (_, entry, spoil) => {
    const two = await givenTwo();
    await spoil(two);

    const { done } = await rollback(two.first.owner, { modelId: two.first.modelId });

    expect(done?.executed).toBe(false);
    expect(done?.differences.map((one) => one.entry)).toContain(entry);
    expect(await champion(app, two.first.modelId)).toBe(two.second.versionId);
    const READ = `query ($id: ID!) { changeRequest(id: $id) { number state alias version reason } }`;
    const { data } = await app.graphql(await app.actor('auditor'), READ, { id: done?.changeRequestId });
    expect(data).toMatchObject({
      changeRequest: { number: done?.number, state: 'OPEN', alias: 'champion', version: 1 },
    });
  });

  test('newer evidence that is no worse is not among them', async () => {
    const two = await givenTwo();
    await givenEvidence(app, two.first, { FAIRNESS: 'PASS' });

    expect((await rollback(two.first.owner, { modelId: two.first.modelId })).done?.executed).toBe(true);
  });

  test('whoever approved has a hand in the version now', async () => {
    const two = await givenTwo();
    const { versionId, useCaseId, compliance } = two.first;
    // A field that is not governed: the manifest stays what it was, and only the hand is new.
    const fields = [{ name: 'contact', value: 'the team' }];
    await app.run(updateCard, compliance, { versionId, useCaseId, fields });
    const { done } = await rollback(two.first.owner, { modelId: two.first.modelId });

    expect(done).toMatchObject({ executed: false, blockers: [{ rule: 'separation-of-duties' }] });
  });

  test('another policy rules', async () => {
    const two = await givenTwo();
    const document = { ...initialPolicy('enforced').document, expireAfterDays: 33 };
    const { id } = await app.run(proposePolicy, two.first.engineer, {
      document,
      source: 'test',
      reason: 'days',
    });
    await decide(app, two.first.validator, id);
    await decide(app, two.first.compliance, id);

    const { done } = await rollback(two.first.owner, { modelId: two.first.modelId });
    expect(done).toMatchObject({ executed: false, differences: [{ entry: 'policy' }] });
  });
});

describe('a rollback is refused', () => {
  test('to a version that was never approved, or where there was none before', async () => {
    const { first, second } = await givenTwo();
    const never = await givenNextVersion(app, first.engineer, first.modelId);
    const alone = await givenPromotable(app);
    await givenChampion(app, alone);

    expect(await rollback(first.owner, { modelId: first.modelId, versionId: never })).toMatchObject({
      rule: 'never-approved',
    });
    expect(await rollback(alone.owner, { modelId: alone.modelId })).toMatchObject({ rule: 'never-approved' });
    expect(
      await rollback(first.owner, { modelId: first.modelId, versionId: second.versionId }),
    ).toMatchObject({
      rule: 'never-approved',
    });
  });

  test('to a version whose attestation somebody took back, until people approve it anew', async () => {
    const { first, second } = await givenTwo();
    const proof = await proofOf(first.versionId);
    const reason = 'The training data was copied without leave';
    await app.run(revokeAttestation, first.compliance, { attestationId: proof.id, reason });

    const refused = await rollback(first.owner, { modelId: first.modelId });

    expect(refused).toMatchObject({ code: 'PRECONDITION_FAILED', rule: 'attestation-revoked' });
    expect(await champion(app, first.modelId)).toBe(second.versionId);
    app.clock.advance(1000);
    await givenChampion(app, first);
    await givenChampion(app, second);
    expect((await rollback(first.owner, { modelId: first.modelId })).done?.executed).toBe(true);
  });

  test('to a version that was deleted', async () => {
    const { first } = await givenTwo();
    await app.run(deleteModelVersion, first.engineer, { versionId: first.versionId });

    expect((await rollback(first.owner, { modelId: first.modelId })).code).toBe('NOT_FOUND');
  });

  test('to those without the right, and for an alias that anybody may set', async () => {
    const { first } = await givenTwo();

    expect((await rollback(first.engineer, { modelId: first.modelId })).code).toBe('FORBIDDEN');
    expect((await rollback(first.validator, { modelId: first.modelId })).code).toBe('FORBIDDEN');
    expect((await rollback(first.owner, { modelId: first.modelId, alias: 'blue' })).code).toBe('NOT_FOUND');
  });

  test('twice at the same instant: one moves it, and the alias is where one of them put it', async () => {
    const { first } = await givenTwo();
    const answers = await Promise.all([
      rollback(first.owner, { modelId: first.modelId, versionId: first.versionId }),
      rollback(first.compliance, { modelId: first.modelId, versionId: first.versionId }),
    ]);

    expect(answers.filter(({ done }) => done?.executed)).toHaveLength(1);
    expect(await champion(app, first.modelId)).toBe(first.versionId);
  });
});
