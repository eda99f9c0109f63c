import { execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { installationRoot } from '../../kernel/root.js';
import { asSystem } from '../../kernel/system.js';
import { givenEndpoint, sampleApplications, type GivenEndpoint } from '../../testing/given-endpoint.js';
import { testApp, type TestApp } from '../../testing/test-app.js';
import type { DecisionView } from './decisions.queries/index.js';
import { decideReview, decisionById, requestDecisions, runDecisions } from './index.js';
import { agents } from './pipeline.js';

let app: TestApp;
let endpoint: GivenEndpoint;
const dist = join(installationRoot, 'dist');

beforeAll(async () => {
  // What ships is what is killed: the workers below run the built product.
  execFileSync(process.execPath, [join(installationRoot, 'scripts', 'build.mjs')], { stdio: 'ignore' });
  app = await testApp();
  endpoint = await givenEndpoint(app);
});

interface Delivery {
  readonly id: string;
  readonly payload: unknown;
}

const takeDelivery = async (): Promise<Delivery> => {
  const [delivery] = await asSystem(app.db, (tx) =>
    tx.sql<Delivery>('delete from outbox where job = $1 returning id, payload', [runDecisions.name]),
  );
  if (!delivery) throw new Error('No job was asked for');
  return delivery;
};

const ask = async (name: string, given: object = {}): Promise<{ ids: string[]; delivery: Delivery }> => {
  const requests = sampleApplications()
    .slice(0, 3)
    .map(({ inputs }, index) => ({
      idempotencyKey: `${name}-${String(index)}`,
      application: inputs,
      consent: true,
      ...given,
    }));
  const input = { endpoint: endpoint.slug, requests };
  const accepted = await app.record(app.service(), requestDecisions.of(app.service(), input));
  return { ids: accepted.map(({ id }) => id), delivery: await takeDelivery() };
};

const read = async (id: string): Promise<DecisionView> =>
  app.ask(decisionById, await app.actor('reviewer'), { id });

/** Agents of the steps that were finished, and of those that were begun, in the order of the run. */
const traceOf = ({ steps }: DecisionView) => ({
  done: steps.filter(({ status }) => status === 'done').map(({ agent }) => agent),
  begun: steps.filter(({ status }) => status === 'started').map(({ agent }) => agent),
});

/** The transaction at which a process is killed: before its commit, or right after it. */
interface Hang {
  readonly at: number;
  readonly committed: boolean;
}

/** Runs the job in a process of its own, which is killed where it hangs, or when it is done. */
const runProcess = async ({ id, payload }: Delivery, hang: Hang | null): Promise<string> => {
  const { organizationId, workspaceId, databaseUrl, folder } = app;
  const delivery = {
    id,
    job: runDecisions.name,
    payload,
    workspaceId,
    organizationId,
    requestId: null,
    attempt: 1,
  };
  const settings = JSON.stringify({ dist, databaseUrl, folder, delivery, hang });
  const child = fork(join(installationRoot, 'src', 'testing', 'decision-worker.mjs'), [settings], {
    execArgv: [],
  });
  const ended = once(child, 'exit');
  const [message] = (await Promise.race([once(child, 'message'), ended.then(() => ['ended'])])) as [string];
  child.kill('SIGKILL');
  await ended;
  return message;
};

// Transaction 1 takes the runs up; transaction n + 1 ends step n.
const steps = [1, 2, 3, 4, 5] as const;

test.each(steps)(
  'a worker killed inside step %i is taken over there, and nothing completes twice',
  async (step) => {
    const { ids, delivery } = await ask(`killed-${String(step)}`);

    expect(await runProcess(delivery, { at: step + 1, committed: false })).toBe('inside');
    expect(await runProcess(delivery, null)).toBe('done');

    for (const id of ids) {
      const decision = await read(id);
      const done = decision.steps.filter(({ status }) => status === 'done');
      const begun = decision.steps.filter(({ status }) => status === 'started');
      expect(done.map(({ agent }) => agent)).toEqual(agents.slice(0, 5));
      expect(begun.filter(({ seq }) => seq === step).map(({ attempt }) => attempt)).toEqual([1, 2]);
      expect(begun.filter(({ seq }) => seq !== step).every(({ attempt }) => attempt === 1)).toBe(true);
      expect(new Set(done.map(({ workerId }) => workerId)).size).toBe(step === 1 ? 1 : 2);
      expect(decision.verification).toMatchObject({ isChainIntact: true, isInTrail: true, fault: null });
      expect(['DONE', 'WAITING']).toContain(decision.state);
    }
  },
);

// Transaction 1 takes up; after the commit of transaction n + 1, step n is done and the next one begun.
test.each(steps)(
  'a worker killed right after it had finished step %i is taken over behind it',
  async (step) => {
    const { ids, delivery } = await ask(`finished-${String(step)}`, { statedIncome: 5_000_000 });

    expect(await runProcess(delivery, { at: step + 1, committed: true })).toBe('inside');
    expect(await runProcess(delivery, null)).toBe('done');

    for (const id of ids) {
      const decision = await read(id);
      const { done, begun } = traceOf(decision);
      expect(done).toEqual(agents.slice(0, 5));
      const again = agents.slice(step, step + 1).filter((agent) => agent !== 'person');
      expect(begun.toSorted()).toEqual([...agents.slice(0, 5), ...again].toSorted());
      // Killed after the last step, nobody had opened the review yet.
      expect(decision).toMatchObject({ state: 'WAITING', verification: { isInTrail: true, fault: null } });
      expect(decision.reviewId).not.toBeNull();
    }
  },
);

test.each([
  ['inside', false, ['person', 'person']],
  ['right after', true, ['person']],
])(
  'a worker killed %s the step of a person leaves what the person decided',
  async (name, committed, begun) => {
    const { ids, delivery } = await ask(`person-${name}`, { statedIncome: 5_000_000 });
    await runProcess(delivery, null);
    const id = ids[0] ?? '';
    const reviewId = (await read(id)).reviewId ?? '';
    const about = { id: reviewId, action: 'ASK_FOR_DOCUMENTS', reason: 'A proof' } as const;
    await app.run(decideReview, await app.actor('reviewer'), about);
    const resumed = await takeDelivery();

    expect(await runProcess(resumed, { at: 2, committed })).toBe('inside');
    expect(await runProcess(resumed, null)).toBe('done');

    const decision = await read(id);
    expect(decision).toMatchObject({ state: 'DONE', action: 'ASK_FOR_DOCUMENTS', decidedBy: 'person' });
    expect(traceOf(decision).done).toEqual([...agents]);
    expect(traceOf(decision).begun.slice(5)).toEqual(begun);
    expect(decision.verification).toMatchObject({ isChainIntact: true, isInTrail: true, fault: null });
  },
);

test('two workers with the same decisions finish each step once', async () => {
  const { ids, delivery } = await ask('twice');

  const answers = await Promise.all([runProcess(delivery, null), runProcess(delivery, null)]);

  expect(answers).toEqual(['done', 'done']);
  for (const id of ids) {
    const decision = await read(id);
    expect(traceOf(decision).done).toEqual(agents.slice(0, 5));
    expect(decision.verification).toMatchObject({ isChainIntact: true, isInTrail: true });
  }
});
