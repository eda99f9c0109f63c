import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { installationRoot } from '../../kernel/root.js';
import { approve } from '../acts.js';
import { withToken, type Client } from '../client.js';
import { eventually } from './eventually.js';
import type { World } from './world.js';

const endpoint = 'income-verification';
const wanted = 200;

const applicationLine = z.object({
  row: z.number(),
  inputs: z.record(z.string(), z.union([z.string(), z.number()])),
});

/** Real rows of the held-out data, in the form in which a tool sends them. */
const readApplications = async (): Promise<z.output<typeof applicationLine>[]> => {
  const text = await readFile(join(installationRoot, 'models', 'data', 'applications.jsonl'), 'utf8');
  return text
    .trim()
    .split('\n')
    .slice(0, wanted)
    .map((line) => applicationLine.parse(JSON.parse(line)));
};

/** A machine with a service account and a token of its own. */
export const openTool = async (world: World, server: string): Promise<{ tool: Client; tokenId: string }> => {
  const { account, people } = world;
  const made = await account.step(
    people.owner.name,
    'creates a service account and a token for an internal tool',
    async () => {
      const { createServiceAccount } = await people.owner.ask<{ createServiceAccount: { id: string } }>(
        `mutation ($input: ServiceAccountCreateInput!) { createServiceAccount(input: $input) { id } }`,
        {
          input: {
            name: `application desk ${new Date().toISOString()}`,
            description: 'Sends applications to be routed.',
          },
        },
      );
      const { createApiToken } = await people.owner.ask<{ createApiToken: { id: string; secret: string } }>(
        `mutation ($input: ApiTokenCreateInput!) { createApiToken(input: $input) { id secret } }`,
        { input: { serviceAccountId: createServiceAccount.id, name: 'story', expiresInDays: 1 } },
      );
      return createApiToken;
    },
  );
  return { tool: withToken(server, 'The application desk', made.secret), tokenId: made.id };
};

interface Accepted {
  readonly requestDecisions: readonly { readonly id: string; readonly isRepeated: boolean }[];
}

interface Listed {
  readonly decisions: {
    readonly nodes: readonly {
      readonly id: string;
      readonly state: string;
      readonly action: string | null;
      readonly idempotencyKey: string;
    }[];
  };
}

const submit = `mutation ($input: DecisionRequestManyInput!) { requestDecisions(input: $input) { id isRepeated } }`;

const settled = new Set(['DONE', 'WAITING', 'FAILED', 'REFUSED']);

const waitForAll = async (tool: Client, prefix: string): Promise<Listed['decisions']['nodes']> => {
  const deadline = Date.now() + 120_000;
  while (Date.now() < deadline) {
    const { decisions } = await tool.ask<Listed>(
      `query ($endpoint: String) { decisions(endpoint: $endpoint, first: 200) { nodes { id state action idempotencyKey } } }`,
      { endpoint },
    );
    const ours = decisions.nodes.filter((one) => one.idempotencyKey.startsWith(prefix));
    if (ours.length === wanted && ours.every((one) => settled.has(one.state))) return ours;
    await sleep(200);
  }
  throw new Error('The decisions were not all made within two minutes; is a worker running?');
};

/** 200 applications are decided. Returns one that was finished without a person and one that waits for one. */
export const decideApplications = async (
  world: World,
  tool: Client,
): Promise<{ finishedId: string; waitingId: string }> => {
  const { account } = world;
  const prefix = `story-${String(Date.now())}-`;
  const requests = (await readApplications()).map(({ row, inputs }) => ({
    idempotencyKey: `${prefix}${String(row)}`,
    subjectRef: `applicant-${String(row)}`,
    application: inputs,
    consent: true,
  }));
  const started = performance.now();
  const all = await account.step(tool.name, `has ${String(wanted)} real applications decided`, async () => {
    await tool.ask<Accepted>(submit, { input: { endpoint, requests } });
    return waitForAll(tool, prefix);
  });
  account.fact(
    `in ${((performance.now() - started) / 1000).toFixed(1)} s, with full traces and exact explanations`,
  );
  for (const [name, count] of countBy(all.map((one) => one.action ?? one.state)))
    account.fact(`${String(count).padStart(4)} × ${name}`);
  account.holds(
    !all.some((one) => one.state === 'FAILED' || one.state === 'REFUSED'),
    'Some decisions were not made',
  );
  const again = await tool.ask<Accepted>(submit, { input: { endpoint, requests: requests.slice(0, 1) } });
  account.holds(again.requestDecisions[0]?.isRepeated === true, 'The same key gave a second decision');
  account.fact('the same idempotency key again gives the same decision');
  const finished = all.find((one) => one.state === 'DONE');
  const waiting = all.find((one) => one.state === 'WAITING');
  if (!finished || !waiting) throw new Error('The story needs one finished and one referred decision');
  return { finishedId: finished.id, waitingId: waiting.id };
};

const countBy = (names: readonly string[]): [string, number][] => {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a);
};

interface ReviewAnswer {
  readonly decision: {
    readonly reviewId: string | null;
    readonly state: string;
    readonly action: string | null;
    readonly decidedBy: string | null;
  };
}

/** A referred decision waits for a person without holding a job, and goes on after the review. */
export const reviewOne = async (world: World, decisionId: string): Promise<void> => {
  const { account, people } = world;
  const read = async (): Promise<ReviewAnswer['decision']> =>
    (
      await people.reviewer.ask<ReviewAnswer>(
        `query ($id: ID!) { decision(id: $id) { reviewId state action decidedBy } }`,
        { id: decisionId },
      )
    ).decision;
  // The run ends first; the review is opened for it right after, by a command of its own.
  const { reviewId } = await eventually(
    read,
    (one) => one.reviewId !== null,
    'The review of a referred decision was not opened',
  );
  await account.step(people.reviewer.name, 'reviews a decision that was referred, and decides', () =>
    people.reviewer.ask(`mutation ($input: ReviewDecideInput!) { decideReview(input: $input) { id } }`, {
      input: {
        id: reviewId,
        action: 'ASK_FOR_DOCUMENTS',
        reason: 'The members of the ensemble disagree; a pay slip settles it.',
      },
    }),
  );
  const done = await eventually(
    read,
    (one) => one.state === 'DONE',
    'The reviewed decision was not finished',
  );
  account.fact(`finished: ${done.action ?? ''}, decided by ${done.decidedBy ?? ''}`);
};

const endpointState = async ({ people, endpointId }: World): Promise<string> => {
  const { endpoint: found } = await people.owner.ask<{ endpoint: { state: string } }>(
    `query ($id: ID!) { endpoint(id: $id) { state } }`,
    { id: endpointId },
  );
  return found.state;
};

/** One person stops the endpoint; to resume takes another one's approval. */
export const suspendAndResume = async (world: World, tool: Client): Promise<void> => {
  const { account, people, endpointId } = world;
  await account.step(people.owner.name, 'suspends the endpoint', () =>
    people.owner.ask(`mutation ($input: EndpointSuspendInput!) { suspendEndpoint(input: $input) { id } }`, {
      input: { endpointId, reason: 'Exercise of the emergency stop.' },
    }),
  );
  const [first] = await readApplications();
  const request = {
    endpoint,
    idempotencyKey: `story-suspended-${String(Date.now())}`,
    application: first?.inputs,
    consent: true,
  };
  await account.step(tool.name, 'asks for one more decision', () =>
    account.refused(
      () =>
        tool.ask(`mutation ($input: DecisionRequestInput!) { requestDecision(input: $input) { id } }`, {
          input: request,
        }),
      'endpoint-suspended',
    ),
  );
  const { requestEndpointResume } = await account.step(people.owner.name, 'asks to resume', () =>
    people.owner.ask<{ requestEndpointResume: { id: string } }>(
      `mutation ($input: EndpointRequestResumeInput!) { requestEndpointResume(input: $input) { id } }`,
      { input: { endpointId, reason: 'The exercise is over.' } },
    ),
  );
  await account.step(people.compliance.name, 'approves', () =>
    approve(people.compliance, requestEndpointResume.id, 'Nothing was wrong.'),
  );
  await eventually(
    () => endpointState(world),
    (state) => state === 'ACTIVE',
    'The endpoint did not resume',
  );
  account.fact('the endpoint is ACTIVE again');
};
