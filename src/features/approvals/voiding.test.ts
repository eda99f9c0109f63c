import { beforeAll, describe, expect, test } from 'vitest';
import { runStatement } from '../../testing/databases.js';
import { testApp, type TestApp } from '../../testing/test-app.js';
import { updateCard } from '../cards/index.js';
import {
  decide,
  givenCard,
  givenEvidence,
  givenPromotable,
  givenRequest,
  givenNextVersion,
  type Given,
} from '../../testing/given-change.js';
import { refreshChange } from './approvals.commands/refresh-change.js';

let app: TestApp;
beforeAll(async () => {
  app = await testApp();
});

const DECIDE = `mutation ($input: ChangeRequestDecideInput!) { decideChange(input: $input) { id state findingIds } }`;
const DISABLE = `mutation ($input: UserDisableInput!) { disableUser(input: $input) { id } }`;
const ENABLE = `mutation ($input: UserEnableInput!) { enableUser(input: $input) { id } }`;
const READ = `query ($id: ID!) { changeRequest(id: $id) {
  number state title fromVersion version manifestSha256 manifest { name value } viewerCan closeReason executedAt
  approvals { verdict role byName valid voidReason conditions { title findingId } }
  standing { ready manifestSha256 differences { entry from to voids }
    requirements { rule state message evidenceId roles people { name } } } } }`;

interface ReadAnswer {
  changeRequest: {
    number: number;
    state: string;
    manifestSha256: string;
    manifest: { name: string; value: unknown }[];
    viewerCan: string[];
    approvals: { verdict: string; role: string; byName: string; valid: boolean; voidReason: string | null }[];
    standing: {
      ready: boolean;
      manifestSha256: string;
      differences: { entry: string; voids: boolean }[];
      requirements: { rule: string; state: string; roles: string[]; people: { name: string }[] }[];
    };
  };
}

const read = async (given: Given, id: string): Promise<ReadAnswer['changeRequest']> => {
  const { data, errors } = await app.graphql<ReadAnswer>(given.validator, READ, { id });
  expect(errors).toEqual([]);
  if (!data) throw new Error('no answer');
  return data.changeRequest;
};

const ruleOf = (answer: { errors: readonly { extensions?: Record<string, unknown> }[] }): unknown => {
  const details = answer.errors[0]?.extensions?.['details'];
  return typeof details === 'object' && details !== null && 'rule' in details ? details.rule : undefined;
};

describe('an approval is void', () => {
  test('when a governed field of the card changes, and the reason names the entry with old and new', async () => {
    const given = await givenPromotable(app);
    const id = await givenRequest(app, given);
    await decide(app, given.validator, id);

    await app.run(updateCard, given.engineer, {
      versionId: given.versionId,
      useCaseId: given.useCaseId,
      fields: [{ name: 'intendedUse', value: 'something else' }],
    });
    await app.drainJobs();

    const [approval] = (await read(given, id)).approvals;
    expect(approval?.valid).toBe(false);
    expect(approval?.voidReason).toContain('card.intendedUse changed from');
    expect(approval?.voidReason).toContain('as agreed');
    expect(approval?.voidReason).toContain('something else');
    expect((await decide(app, given.compliance, id)).state).toBe('OPEN');
    expect((await decide(app, given.validator, id)).state).toBe('EXECUTED');
  });

  test('not when another field of the card changes', async () => {
    const given = await givenPromotable(app);
    const id = await givenRequest(app, given);
    await decide(app, given.validator, id);

    await app.run(updateCard, given.engineer, {
      versionId: given.versionId,
      useCaseId: given.useCaseId,
      fields: [{ name: 'contact', value: 'somebody else' }],
    });
    await app.drainJobs();

    expect((await read(given, id)).approvals).toMatchObject([{ valid: true }]);
  });

  test('when required evidence worsens, not when it is only newer', async () => {
    const given = await givenPromotable(app);
    const id = await givenRequest(app, given);
    await decide(app, given.validator, id);
    const before = (await read(given, id)).manifestSha256;

    await givenEvidence(app, given, { FAIRNESS: 'PASS' });
    await app.run(refreshChange, app.system('job:approvals.refreshRequests'), { changeRequestId: id });
    const newer = await read(given, id);
    await givenEvidence(app, given, { FAIRNESS: 'FAIL' });
    await app.run(refreshChange, app.system('job:approvals.refreshRequests'), { changeRequestId: id });
    const worse = await read(given, id);

    expect(newer.manifestSha256).not.toBe(before);
    expect(newer.approvals).toMatchObject([{ valid: true }]);
    expect(worse.approvals[0]?.voidReason).toContain('evidence.FAIRNESS changed');
  });

  test('when its author takes a hand in the version', async () => {
    const given = await givenPromotable(app);
    const id = await givenRequest(app, given);
    await decide(app, given.compliance, id);

    await app.run(updateCard, given.compliance, {
      versionId: given.versionId,
      useCaseId: given.useCaseId,
      fields: [{ name: 'contact', value: 'me' }],
    });
    await app.drainJobs();

    expect((await read(given, id)).approvals[0]?.voidReason).toContain('separation-of-duties');
  });

  test('when its author is shut out before the change is carried out', async () => {
    const given = await givenPromotable(app);
    const id = await givenRequest(app, given);
    await decide(app, given.validator, id);
    const administrator = await app.actor('administrator');
    const input = { userId: given.validator.id, reason: 'account taken over' };

    const disabled = await app.graphql(administrator, DISABLE, { input });
    const decided = await decide(app, given.compliance, id);
    await app.graphql(administrator, ENABLE, { input });

    expect(disabled.code).toBeUndefined();
    expect(decided.state).toBe('OPEN');
    expect((await read(given, id)).approvals[0]).toMatchObject({ valid: false });
    expect((await read(given, id)).approvals[0]?.voidReason).toContain('approver-disabled');
  });

  test('when champion moved in between, since it was compared with another version', async () => {
    const given = await givenPromotable(app);
    const id = await givenRequest(app, given);
    await decide(app, given.validator, id);
    const other = await givenNextVersion(app, given.engineer, given.modelId);
    await runStatement(
      app.databaseUrl,
      `select audited_repair('a test moves champion aside');
       insert into model_alias (id, workspace_id, model_id, name, folded, version_id, moved_at, moved_by)
       values (uuidv7(), '${app.workspaceId}', '${given.modelId}', 'champion', 'champion', '${other}', now(), 'test')`,
    );

    const decided = await decide(app, given.compliance, id);

    expect(decided.state).toBe('OPEN');
    expect((await read(given, id)).approvals[0]?.voidReason).toContain('version.from changed from null');
  });
});

test('who decides on an old manifest is told what changed, and nothing is decided', async () => {
  const given = await givenPromotable(app);
  const id = await givenRequest(app, given);
  const { manifestSha256 } = await read(given, id);
  await givenCard(app, given, 'otherwise');

  const input = { changeRequestId: id, verdict: 'APPROVE', reason: 'ok', manifestSha256 };
  const answer = await app.graphql(given.validator, DECIDE, { input });

  expect(answer.code).toBe('CONFLICT');
  expect(answer.errors[0]?.message).toContain('card.intendedUse');
  expect(ruleOf(answer)).toBe('manifest-changed');
  const shown = await read(given, id);
  expect(shown.approvals).toEqual([]);
  expect(shown.standing.differences).toContainEqual(
    expect.objectContaining({ entry: 'card.intendedUse', voids: true }),
  );
  const again = { ...input, manifestSha256: shown.standing.manifestSha256 };
  expect((await app.graphql(given.validator, DECIDE, { input: again })).code).toBeUndefined();
});
