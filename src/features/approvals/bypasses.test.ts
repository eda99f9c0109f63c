import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Actor, UserActor } from '../../kernel/actor.js';
import {
  decide,
  givenCard,
  givenChampion,
  givenNextVersion,
  givenPromotable,
  givenRequest,
  type Given,
} from '../../testing/given-change.js';
import { attempt, refusals, standing } from '../../testing/attempts.js';
import { testApp, type TestApp } from '../../testing/test-app.js';
import { proposePolicy, requestPromotion } from './index.js';
import { initialPolicy } from './policy-in-force.js';

/*
 * Ways around policies and people, through GraphQL: each is refused and names its rule, nothing that a name resolves to
 * has changed, and the refusal stands in the trail. The table of all doors is src/testing/bypasses.
 */

let app: TestApp;
let given: Given;
/** Another version that is ready, and approved for nothing. */
let otherId: string;
let otherUse: string;

const [championRule] = initialPolicy('enforced').document.rules;
const protecting = (...protectedAliases: string[]): object => ({
  ...initialPolicy('enforced').document,
  protectedAliases,
  rules: [championRule, { ...championRule, name: 'production', alias: 'prod*' }],
});

beforeAll(async () => {
  app = await testApp();
  const engineer = await app.actor('engineer');
  const proposal = {
    document: protecting('champion', 'prod*') as Record<string, unknown>,
    source: 'test',
    reason: 'names',
  };
  const { id } = await app.run(proposePolicy, engineer, proposal);
  await decide(app, await app.actor('validator'), id);
  await decide(app, await app.actor('compliance'), id);
});

beforeEach(async () => {
  given = await givenPromotable(app);
  await givenChampion(app, given);
  const input = { versionId: given.versionId, alias: 'production', useCaseId: given.useCaseId, reason: 'go' };
  const { id } = await app.run(requestPromotion, given.engineer, input);
  await decide(app, given.validator, id);
  await decide(app, given.compliance, id);
  otherId = await givenNextVersion(app, given.engineer, given.modelId);
  otherUse = (await givenPromotable(app, { bare: true })).useCaseId;
});

interface Way {
  readonly by: string;
  readonly command: string;
  readonly input: () => object | Promise<object>;
  readonly rule: string;
  readonly code?: string;
  readonly actor?: () => Actor | Promise<Actor>;
}

const model = (): object => ({ modelId: given.modelId });
const endpoint = (more: object): object => ({
  slug: `door-${given.modelId.slice(-8)}`,
  name: 'Door',
  useCaseId: given.useCaseId,
  modelId: given.modelId,
  alias: 'champion',
  ...more,
});

const policies: readonly Way[] = [
  ...[
    ['the one', ['prod*']],
    ['the pattern', ['champion']],
    ['both for others', ['challenger*']],
    ['the pattern for a narrower one', ['champion', 'prod-*']],
  ].map(([what, names]): Way => ({
    by: `a policy that drops ${String(what)}, although a name of it stands`,
    command: 'policy.propose',
    input: () => ({
      document: {
        ...protecting(...(names as string[])),
        rules: [championRule, { ...championRule, name: 'all', alias: '*' }],
      },
      source: 'x',
      reason: 'x',
    }),
    rule: 'protected-name-stands',
  })),
  {
    by: 'an endpoint that serves a name which nobody protects',
    command: 'endpoint.create',
    input: () => endpoint({ alias: 'blue' }),
    rule: 'protected-alias-only',
    actor: () => given.owner,
  },
  {
    by: 'an endpoint that serves it for another use',
    command: 'endpoint.create',
    input: () => endpoint({ useCaseId: otherUse }),
    rule: 'not-approved',
    actor: () => given.owner,
  },
];

const tokenOf = (actor: UserActor, ...scopes: NonNullable<UserActor['scopes']>): UserActor => ({
  ...actor,
  tokenId: '00000000-0000-7000-8000-00000000000f',
  scopes,
});

const open = async (): Promise<{ changeRequestId: string }> => ({
  changeRequestId: await givenRequest(app, given, otherId),
});
const approve = async (): Promise<object> => ({ ...(await open()), verdict: 'APPROVE', reason: 'I say so' });
const forbidden = { command: 'changeRequest.decide', code: 'FORBIDDEN', input: approve } as const;

const people: readonly Way[] = [
  { ...forbidden, by: 'approving what one asked for', rule: 'requester' },
  {
    ...forbidden,
    by: 'approving under a role that is not asked',
    rule: 'role-not-asked',
    actor: () => given.owner,
  },
  {
    ...forbidden,
    by: 'approving as somebody who wrote its card',
    input: async () => {
      const hand = await app.actor('validator', { name: 'hand', roles: ['validator', 'engineer'] });
      await givenCard(app, { ...given, versionId: otherId, engineer: hand });
      return approve();
    },
    rule: 'separation-of-duties',
    actor: () => app.actor('validator', { name: 'hand', roles: ['validator', 'engineer'] }),
  },
  { ...forbidden, by: 'approving by a service account', rule: 'permission', actor: () => app.service() },
  {
    ...forbidden,
    by: 'approving by a token of the approver that was not made for it',
    rule: 'permission',
    actor: () => tokenOf(given.validator, 'changeRequest:read'),
  },
  {
    by: 'carrying out what is not approved',
    command: 'changeRequest.execute',
    input: open,
    rule: 'evidence.PERFORMANCE',
  },
  {
    by: 'carrying it out by a service account',
    command: 'changeRequest.execute',
    input: open,
    code: 'FORBIDDEN',
    rule: 'permission',
    actor: () => app.service(),
  },
  {
    by: 'setting it by a service account',
    command: 'alias.set',
    input: () => ({ ...model(), versionId: otherId, name: 'champion' }),
    code: 'FORBIDDEN',
    rule: 'permission',
    actor: () => app.service(),
  },
  {
    by: 'asking by a service account',
    command: 'changeRequest.create',
    input: () => ({ versionId: otherId, alias: 'champion', useCaseId: given.useCaseId, reason: 'x' }),
    code: 'FORBIDDEN',
    rule: 'permission',
    actor: () => app.service(),
  },
  {
    by: 'approving what was not seen',
    command: 'changeRequest.decide',
    input: async () => ({ ...(await approve()), manifestSha256: 'f'.repeat(64) }),
    code: 'CONFLICT',
    rule: 'manifest-changed',
    actor: () => given.validator,
  },
  {
    by: 'withdrawing the request of somebody else',
    command: 'changeRequest.withdraw',
    input: async () => ({ ...(await open()), reason: 'x' }),
    code: 'FORBIDDEN',
    rule: 'permission',
    actor: () => app.actor('reviewer'),
  },
  {
    by: 'rolling back to what was never approved',
    command: 'alias.rollback',
    input: () => ({ ...model(), alias: 'champion', versionId: otherId, reason: 'x' }),
    rule: 'never-approved',
    actor: () => given.owner,
  },
  {
    by: 'rolling back without the right',
    command: 'alias.rollback',
    input: () => ({ ...model(), alias: 'champion', reason: 'x' }),
    code: 'FORBIDDEN',
    rule: 'permission',
  },
];

describe('there is no way around by', () => {
  test.each([...policies, ...people])('$by', async ({ command, input, rule, code, actor }) => {
    const filled = await input();
    const who = (await actor?.()) ?? given.engineer;
    const [before, told] = [await standing(app), await refusals(app, command, who)];

    const answer = await attempt(app, who, command, filled);

    expect([answer.code, answer.rule]).toEqual([code ?? 'PRECONDITION_FAILED', rule]);
    expect(await standing(app)).toEqual(before);
    expect(await refusals(app, command, who)).toBe(told + 1);
  });

  test('opening an endpoint anew under its address, for another model', async () => {
    await attempt(app, given.owner, 'endpoint.create', endpoint({}));
    const elsewhere = await givenPromotable(app);
    await givenChampion(app, elsewhere);
    const before = await standing(app);

    const again = endpoint({ modelId: elsewhere.modelId, useCaseId: elsewhere.useCaseId });
    expect(await attempt(app, given.owner, 'endpoint.create', again)).toMatchObject({
      code: 'CONFLICT',
      rule: 'name-taken',
    });
    expect(await standing(app)).toEqual(before);
  });

  test('a policy that was proposed before the name stood, and is approved after', async () => {
    const loose = {
      ...protecting('champion', 'prod*', 'gold'),
      rules: [championRule, { ...championRule, name: 'all', alias: '*' }],
    };
    const [first, second] = [
      { ...loose },
      { ...loose, protectedAliases: ['champion', 'prod*'], expireAfterDays: 31 },
    ];
    const put = async (document: object): Promise<string> => {
      const proposal = { document: document as Record<string, unknown>, source: 'x', reason: 'x' };
      return (await app.run(proposePolicy, given.engineer, proposal)).id;
    };
    const gold = await put(first);
    await decide(app, given.validator, gold);
    await decide(app, given.compliance, gold);
    const dropping = await put(second);
    await decide(app, given.validator, dropping);
    const move = { versionId: given.versionId, alias: 'gold', useCaseId: given.useCaseId, reason: 'x' };
    const moving = await app.run(requestPromotion, given.engineer, move);
    await decide(app, given.validator, moving.id);
    await decide(app, given.compliance, moving.id);
    const before = await standing(app);

    const last = await attempt(app, given.compliance, 'changeRequest.decide', {
      changeRequestId: dropping,
      verdict: 'APPROVE',
      reason: 'x',
    });

    expect(last.rule).toBe('protected-name-stands');
    expect(await standing(app)).toEqual(before);
  });
});

test('a refusal points to the one open request, however often it is repeated', async () => {
  const input = { modelId: given.modelId, versionId: otherId, name: 'Champion' };
  const first = await attempt(app, given.engineer, 'alias.set', input);
  const { number, url } = first.details['changeRequest'] as { number: number; url: string };

  expect(url).toBe(`/changes/${String(number)}`);
  for (const command of ['alias.set', 'alias.set', 'alias.delete'] as const) {
    const { details } = await attempt(
      app,
      given.engineer,
      command,
      command === 'alias.set' ? input : { modelId: given.modelId, name: 'champion' },
    );
    expect(details['changeRequest']).toMatchObject({ number, url });
  }
  expect(
    await attempt(app, given.engineer, 'changeRequest.create', {
      versionId: otherId,
      alias: 'CHAMPION',
      useCaseId: given.useCaseId,
      reason: 'x',
    }),
  ).toMatchObject({
    rule: 'one-open-request',
    details: { number },
  });
});
