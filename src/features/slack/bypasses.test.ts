import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { UserActor } from '../../kernel/actor.js';
import { newId } from '../../kernel/id.js';
import { clickOf } from '../../integrations/slack-sender.fake.js';
import type { PostedMessage } from '../../integrations/slack.fake.js';
import { champion, decide, type Given } from '../../testing/given-change.js';
import { openSlackTest, type SlackTest } from '../../testing/given-slack.js';
import { proposePolicy } from '../approvals/index.js';
import { updateCard } from '../cards/index.js';
import type { SlackDeed } from './sealed.js';
import { linkSlack, removeSlackLink } from './slack.commands/links.js';

let t: SlackTest;
let users: { engineer: string; validator: string; compliance: string; auditor: string; author: string };
let author: UserActor;

beforeAll(async () => {
  t = await openSlackTest();
  author = await t.app.actor('validator', { name: 'author', roles: ['validator', 'engineer'] });
  users = {
    engineer: await t.linked(await t.app.actor('engineer', { roles: ['engineer', 'validator'] })),
    validator: await t.linked(await t.app.actor('validator')),
    compliance: await t.linked(await t.app.actor('compliance')),
    auditor: await t.linked(await t.app.actor('auditor')),
    author: await t.linked(author),
  };
});
beforeEach(() => {
  t.slack.posted.length = 0;
  t.slack.whispers.length = 0;
});

interface Case {
  readonly given: Given;
  readonly id: string;
  readonly message: PostedMessage;
}

/** A form as it would have been opened for this account, whatever the interface offers. */
const formOf = ({ message, id }: Case, user: string, deed: SlackDeed, change: object = {}) => {
  const button = message.blocks
    .flatMap(({ elements = [] }) => elements)
    .find((one) => one.action_id === 'reject');
  const value = t.port.unseal('button', button?.value ?? '') as object;
  const { teamId } = t.slack;
  const form = {
    ...value,
    changeRequestId: id,
    deed,
    teamId,
    user,
    channel: message.channel,
    ts: message.ts,
    ...change,
  };
  return { id: `V${newId()}`, privateMetadata: t.port.seal('form', form) };
};

const unchanged = async ({ given, id }: Case): Promise<void> => {
  expect(await champion(t.app, given.modelId)).toBeUndefined();
  const done = (await t.app.trail(id)).filter(
    ({ command, outcome }) => command === 'changeRequest.decide' && outcome === 'done',
  );
  expect(done).toEqual([]);
};

const refusedInTrail = async (id: string): Promise<number> =>
  (await t.app.trail(id)).filter(
    ({ command, outcome }) => command === 'changeRequest.decide' && outcome === 'refused',
  ).length;

describe('nobody goes around the rules through Slack:', () => {
  const byPerson: [string, (c: Case) => Promise<string> | string, string][] = [
    ['who asked for it', () => users.engineer, 'rule: requester'],
    ['who had a hand in the version', () => users.author, 'rule: separation-of-duties'],
    ['who holds no role that is asked', () => users.auditor, 'changeRequest:decide'],
    ['an account that is linked to nobody', () => t.account('UNOBODY'), 'not linked'],
  ];

  const caseOf = async (): Promise<Case> => {
    const made = await t.request('LOW');
    return made;
  };

  test.each(byPerson)('%s is refused at the button', async (_, userOf, says) => {
    const made = await caseOf();
    await t.app.run(updateCard, author, {
      versionId: made.given.versionId,
      useCaseId: made.given.useCaseId,
      fields: [{ name: 'limitations', value: `as ${newId()}` }],
    });
    await t.drain();

    expect(await t.click(made.message, { user: await userOf(made), action: 'approve' })).toBeNull();

    expect(t.lastWhisper()).toContain(says);
    await unchanged(made);
  });

  test.each(byPerson)('%s is refused with a form in hand', async (_, userOf, says) => {
    const made = await caseOf();
    await t.app.run(updateCard, author, {
      versionId: made.given.versionId,
      useCaseId: made.given.useCaseId,
      fields: [{ name: 'limitations', value: `as ${newId()}` }],
    });
    await t.drain();
    const user = await userOf(made);

    await t.submit(formOf(made, user, 'approve'), user);

    expect(t.lastWhisper()).toContain(says);
    await unchanged(made);
  });

  test('a refusal at the button stands in the trail, under the person', async () => {
    const made = await caseOf();
    await t.click(made.message, { user: users.engineer, action: 'approve' });

    expect(await refusedInTrail(made.id)).toBe(1);
    expect((await t.app.trail(made.id)).at(-1)?.actorId).toBe(made.given.engineer.id);
  });

  test.each(['MEDIUM', 'HIGH'] as const)('an approval in the tier %s leads to a sign-in', async (tier) => {
    const made = await t.request(tier);
    const button = formOf(made, users.validator, 'approve');
    const { value } =
      made.message.blocks
        .flatMap(({ elements = [] }) => elements)
        .find((one) => one.action_id === 'reject') ?? {};

    expect(
      await t.click(made.message, { user: users.validator, action: 'approve', value: value ?? '' }),
    ).toBeNull();
    expect(t.lastWhisper()).toContain('rule: slack-approval');
    expect(t.lastWhisper()).toContain('/auth/login?fresh=1&amp;returnTo='.replace('&amp;', '&'));
    t.slack.whispers.length = 0;
    await t.submit(button, users.validator);

    expect(t.lastWhisper()).toContain('rule: slack-approval');
    await unchanged(made);
  });

  test('a request that is decided takes no other decision', async () => {
    const made = await caseOf();
    await decide(t.app, made.given.compliance, made.id, 'REJECT');

    expect(await t.click(made.message, { user: users.validator, action: 'approve' })).toBeNull();
    expect(t.lastWhisper()).toContain('is decided already. Rejected by compliance');
    await t.submit(formOf(made, users.validator, 'approve'), users.validator);
    expect(await champion(t.app, made.given.modelId)).toBeUndefined();
    const { id: validator } = made.given.validator;
    expect((await t.app.trail(made.id)).filter(({ actorId }) => actorId === validator)).toEqual([]);
  });

  test('a request of another workspace is not there, also under a value that names it', async () => {
    const made = await caseOf();
    const elsewhere = await t.app.otherWorkspace();
    const person = await t.app.actor('validator', { workspaceId: elsewhere, name: 'elsewhere' });
    const user = await t.linked(person);

    await t.submit(formOf(made, user, 'approve', { workspaceId: elsewhere }), user);
    expect(t.lastWhisper()).toContain('was not found in this workspace');
    await t.submit(formOf(made, user, 'approve'), user);
    expect(t.lastWhisper()).toContain('not linked');
    await unchanged(made);
  });

  test('what changed since the message was drawn refuses the decision, and the message shows the present', async () => {
    const made = await caseOf();
    const stale = formOf(made, users.validator, 'approve');
    await t.app.run(updateCard, author, {
      versionId: made.given.versionId,
      useCaseId: made.given.useCaseId,
      fields: [{ name: 'limitations', value: 'quite other ones' }],
    });
    await t.submit(stale, users.validator);

    expect(t.lastWhisper()).toContain('What you looked at has changed');
    await unchanged(made);
    const view = await t.click(made.message, { user: users.validator, action: 'approve' });
    expect(view).not.toBeNull();
  });

  test('an account of another team does nothing', async () => {
    const made = await caseOf();
    const click = { user: users.validator, action: 'approve', teamId: 'T0OTHER' };

    expect(await t.click(made.message, click)).toBeNull();
    const form = formOf(made, users.validator, 'approve', { teamId: 'T0OTHER' });
    await t.send('interactive', {
      ...clickOf(t.slack, made.message, click),
      type: 'view_submission',
      view: {
        id: form.id,
        private_metadata: form.privateMetadata,
        state: { values: { reason: { reason: { value: 'x' } } } },
      },
    });
    await t.drain();

    expect(t.slack.whispers).toEqual([]);
    await unchanged(made);
  });

  test('a link that was ended, a role that was lost and a person who left count at once', async () => {
    const made = await caseOf();
    const leaver = await t.app.actor('validator', { name: 'leaver' });
    const user = await t.linked(leaver);
    const { data } = await t.app.graphql<{ slackLinks: { nodes: { id: string; userName: string }[] } }>(
      await t.app.actor('administrator'),
      '{ slackLinks { nodes { id userName } } }',
    );
    const linkId = data?.slackLinks.nodes.find((one) => one.userName === 'leaver')?.id ?? '';
    await t.app.run(removeSlackLink, await t.app.actor('administrator'), { linkId });

    await t.submit(formOf(made, user, 'approve'), user);

    expect(t.lastWhisper()).toContain('not linked');
    await unchanged(made);
  });

  test('a change of the policy itself is never approved in Slack, whatever tiers it names', async () => {
    const engineer = await t.app.actor('engineer');
    const document = {
      schema: 'countersign.approval-policy/1',
      protectedAliases: ['champion'],
      slackApproval: ['LOW', 'MEDIUM', 'HIGH'],
      expireAfterDays: 30,
      rules: [
        {
          name: 'champion',
          alias: 'champion',
          riskTiers: ['LOW', 'MEDIUM', 'HIGH'],
          evidence: [],
          approvals: [{ role: 'validator', quorum: 1 }],
          cardFields: [],
        },
      ],
      policyChange: {
        approvals: [
          { role: 'validator', quorum: 1 },
          { role: 'compliance', quorum: 1 },
        ],
      },
      endpointResume: { approvals: [{ anyOf: ['compliance', 'owner'], quorum: 1 }] },
    };
    const { id } = await t.app.run(proposePolicy, engineer, { document, reason: 'Slack for all' });
    await t.drain();
    const message = t.slack.posted.at(-1);
    if (!message) throw new Error('The proposal was not announced');
    const made = { id, message, given: (await t.request()).given };

    await t.submit(formOf(made, users.compliance, 'approve'), users.compliance);
    expect(t.lastWhisper()).toContain('rule: slack-approval');

    await decide(t.app, author, id);
    await decide(t.app, await t.app.actor('compliance'), id);
    const high = await t.request('HIGH');
    await t.submit(formOf(high, users.validator, 'approve'), users.validator);
    expect(await champion(t.app, high.given.modelId)).toBe(high.given.versionId);
  });
});

test('a machine and a token link no account', async () => {
  const ticket = {
    ticketId: newId(),
    teamId: t.slack.teamId,
    slackUserId: 'U9',
    issuedAt: t.app.clock.now(),
  };
  const validator = await t.app.actor('validator');
  const fresh = { ...validator, authenticatedAt: t.app.clock.now(), sessionId: newId() };

  await expect(
    t.app.run(linkSlack, { ...fresh, sessionId: null, tokenId: newId() }, ticket),
  ).rejects.toMatchObject({
    details: { rule: 'person' },
  });
  await expect(t.app.run(linkSlack, t.app.service(), ticket)).rejects.toMatchObject({ code: 'FORBIDDEN' });
  await expect(
    t.app.run(
      linkSlack,
      { ...fresh, authenticatedAt: new Date(t.app.clock.now().getTime() - 60_000) },
      ticket,
    ),
  ).rejects.toMatchObject({ details: { rule: 'fresh-sign-in' } });
});
