import { initialPolicy } from '../../features/approvals/policy-in-force.js';
import { proposePolicy, requestRiskTier } from '../../features/approvals/index.js';
import { sendSigned, requestOf, clickOf } from '../../integrations/slack-sender.fake.js';
import { givenAssessment } from '../given-risk.js';
import { inSlack, mutation, none } from './cells.js';
import type { Bypass } from './table.js';
import { forgedForm, type World } from './world.js';

const noPeople = none('the protocol knows no requests: nobody decides there');

const button = ({ slack, asked, accounts }: World, change: { value?: string; action?: string } = {}) =>
  clickOf(slack, asked.message, { user: accounts.engineer, action: 'approve', ...change });

const decided = ({ asked }: World): object => ({
  changeRequestId: asked.id,
  verdict: 'APPROVE',
  reason: 'I say so',
});

const deciding: readonly Bypass[] = [
  {
    by: 'approving what one asked for',
    graphql: mutation('requester', 'decideChange', 'ChangeRequestDecideInput', decided),
    mlflow: noPeople,
    slack: inSlack('requester', (world) =>
      world.submit(forgedForm(world, world.accounts.engineer), world.accounts.engineer),
    ),
  },
  {
    by: 'approving what one has not seen',
    graphql: mutation(
      'manifest-changed',
      'decideChange',
      'ChangeRequestDecideInput',
      (world) => ({ ...decided(world), manifestSha256: 'f'.repeat(64) }),
      'validator',
    ),
    mlflow: noPeople,
    slack: inSlack('manifest-changed', (world) =>
      world.submit(forgedForm(world, world.accounts.validator), world.accounts.validator),
    ),
  },
  {
    by: 'a button that nobody sealed',
    graphql: none('GraphQL has no buttons: who asks is known by session or token'),
    mlflow: none('the protocol has no buttons'),
    slack: inSlack('unsealed', async (world) => {
      await world.send('interactive', button(world, { value: 'x.y.z' }));
      await world.drain();
      return null;
    }),
  },
  {
    by: 'a form that nobody sealed',
    graphql: none('GraphQL has no forms'),
    mlflow: none('the protocol has no forms'),
    slack: inSlack('passed over', (world) =>
      world.submit(forgedForm(world, world.accounts.validator, { seal: 'x.y.z' }), world.accounts.validator),
    ),
  },
  {
    by: 'a click that Slack did not sign',
    graphql: none('GraphQL takes a session or a token, never a signature of Slack'),
    mlflow: none('the protocol takes a token, never a signature of Slack'),
    slack: inSlack('401', (world) =>
      sendSigned(world.door.url, 'another secret', requestOf('interactive', button(world))),
    ),
  },
  {
    by: 'a click that Slack signed an hour ago',
    graphql: none('see above'),
    mlflow: none('see above'),
    slack: inSlack('401', (world) =>
      world.send('interactive', button(world), {
        timestamp: String(Math.floor(world.app.clock.now().getTime() / 1000) - 3600),
      }),
    ),
  },
  {
    by: 'carrying out what is not approved',
    graphql: mutation('evidence.PERFORMANCE', 'executeChange', 'ChangeRequestExecuteInput', ({ asked }) => ({
      changeRequestId: asked.id,
    })),
    mlflow: noPeople,
    slack: none('there is no button that carries out'),
  },
  {
    by: 'rolling back to what was never approved',
    graphql: mutation(
      'never-approved',
      'rollbackAlias',
      'AliasRollbackInput',
      ({ given, second }) => ({ modelId: given.modelId, alias: 'champion', versionId: second, reason: 'x' }),
      'owner',
    ),
    mlflow: none('the protocol has no rollback: setting the alias is tried above'),
    slack: none('there is no button that rolls back'),
  },
  {
    by: 'breaking the glass without the right',
    graphql: mutation('permission', 'breakGlass', 'ChangeRequestBreakGlassInput', ({ given, second }) => ({
      versionId: second,
      alias: 'champion',
      useCaseId: given.useCaseId,
      reason: 'An emergency, as I say so myself',
    })),
    mlflow: none('the protocol has no such verb'),
    slack: none('there is no button that breaks the glass'),
  },
];

const loose = (protectedAliases: readonly string[], expireAfterDays = 30): Record<string, unknown> => {
  const { document } = initialPolicy('enforced');
  const [rule] = document.rules;
  return { ...document, protectedAliases, expireAfterDays, rules: [{ ...rule, alias: '*' }] };
};

const proposals = new WeakMap<World, Promise<{ id: string }>>();

/** One proposal is open at a time, so all attempts are about the same. */
const proposal = async (world: World): Promise<string> => {
  const { app, given } = world;
  const document = loose(['champion', 'prod*'], 29);
  const made = proposals.get(world) ?? app.run(proposePolicy, given.engineer, { document, reason: 'x' });
  proposals.set(world, made);
  return (await made).id;
};

const dropping = (by: string, patterns: readonly string[]): Bypass => ({
  by,
  graphql: mutation('protected-name-stands', 'proposePolicy', 'PolicyProposeInput', () => ({
    document: loose(patterns),
    source: 'x',
    reason: 'x',
  })),
  mlflow: none('the protocol has no policy'),
  slack: none('nothing is proposed in Slack'),
});

const policies: readonly Bypass[] = [
  dropping('a policy that no longer protects champion', ['prod*']),
  dropping('a policy that no longer protects the pattern', ['champion']),
  dropping('a policy with a narrower pattern', ['champion', 'prod-*']),
  {
    by: 'carrying out a policy that nobody approved',
    graphql: mutation('approvals.validator', 'executeChange', 'ChangeRequestExecuteInput', async (world) => ({
      changeRequestId: await proposal(world),
    })),
    mlflow: none('the protocol has no policy'),
    slack: inSlack('slack-approval', async (world) =>
      world.submit(
        forgedForm(world, world.accounts.validator, { id: await proposal(world) }),
        world.accounts.validator,
      ),
    ),
  },
];

/** The mildest answers lower the tier, which needs a change request. */
const lowerTier = async ({ app, given }: World, useCaseId: string): Promise<string> => {
  const { id } = await givenAssessment(app, given.owner, useCaseId);
  return (await app.run(requestRiskTier, given.owner, { assessmentId: id, reason: 'x' })).id;
};

const uses: readonly Bypass[] = [
  {
    by: 'giving the use case a lower tier',
    graphql: mutation(
      'risk-tier-by-request',
      'updateUseCase',
      'UseCaseUpdateInput',
      ({ given }) => ({ useCaseId: given.useCaseId, riskTier: 'LOW' }),
      'owner',
    ),
    mlflow: none('the protocol has no use cases'),
    slack: none('Slack has no use cases'),
  },
  {
    by: 'carrying out a lower tier that nobody approved',
    graphql: mutation(
      'approvals.validator',
      'executeChange',
      'ChangeRequestExecuteInput',
      async (world) => ({ changeRequestId: await lowerTier(world, world.given.useCaseId) }),
      'owner',
    ),
    mlflow: none('the protocol has no use cases'),
    slack: inSlack('slack-approval', async (world) =>
      world.submit(
        forgedForm(world, world.accounts.validator, { id: await lowerTier(world, world.otherUseCase) }),
        world.accounts.validator,
      ),
    ),
  },
  {
    by: 'serving it for a use that it was not approved for',
    graphql: mutation(
      'not-approved',
      'createEndpoint',
      'EndpointCreateInput',
      ({ given, otherUseCase }) => ({
        slug: 'door',
        name: 'Door',
        useCaseId: otherUseCase,
        modelId: given.modelId,
        alias: 'champion',
      }),
      'owner',
    ),
    mlflow: none('the protocol has no endpoints'),
    slack: none('Slack has no endpoints'),
  },
  {
    by: 'serving a name that nobody protects',
    graphql: mutation(
      'protected-alias-only',
      'createEndpoint',
      'EndpointCreateInput',
      ({ given }) => ({
        slug: 'door',
        name: 'Door',
        useCaseId: given.useCaseId,
        modelId: given.modelId,
        alias: 'blue',
      }),
      'owner',
    ),
    mlflow: none('the protocol has no endpoints'),
    slack: none('Slack has no endpoints'),
  },
];

/** What goes around the people, or around what is asked of them. */
export const changes: readonly Bypass[] = [...deciding, ...policies, ...uses];
