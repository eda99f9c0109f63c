import { execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { installationRoot } from '../../kernel/root.js';
import { asSystem } from '../../kernel/system.js';
import { givenEndpoint, sampleApplications, type GivenEndpoint } from '../../testing/given-endpoint.js';
import { testApp, type TestApp } from '../../testing/test-app.js';
import { decisionById, requestDecisions, runDecisions } from './index.js';
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

const ask = async (name: string): Promise<{ ids: string[]; delivery: Delivery }> => {
  const requests = sampleApplications()
    .slice(0, 3)
    .map(({ inputs }, index) => ({
      idempotencyKey: `${name}-${String(index)}`,
      application: inputs,
      consent: true,
    }));
  const input = { endpoint: endpoint.slug, requests };
  const accepted = await app.record(app.service(), requestDecisions.of(app.service(), input));
  const [delivery] = await asSystem(app.db, (tx) =>
    tx.sql<Delivery>('delete from outbox where job = $1 returning id, payload', [runDecisions.name]),
  );
  if (!delivery) throw new Error('No job was asked for');
  return { ids: accepted.map(({ id }) => id), delivery };
};

/** Runs the job in a process of its own; `hangAt` is the transaction in which the process is killed. */
const runProcess = async ({ id, payload }: Delivery, hangAt: number | null): Promise<string> => {
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
  const settings = JSON.stringify({ dist, databaseUrl, folder, delivery, hangAt });
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

    expect(await runProcess(delivery, step + 1)).toBe('inside');
    expect(await runProcess(delivery, null)).toBe('done');

    for (const id of ids) {
      const decision = await app.ask(decisionById, await app.actor('reviewer'), { id });
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

test('two workers with the same decisions finish each step once', async () => {
  const { ids, delivery } = await ask('twice');

  const answers = await Promise.all([runProcess(delivery, null), runProcess(delivery, null)]);

  expect(answers).toEqual(['done', 'done']);
  for (const id of ids) {
    const { steps: trace, verification } = await app.ask(decisionById, await app.actor('reviewer'), { id });
    const done = trace.filter(({ status }) => status === 'done').map(({ agent }) => agent);
    expect(done).toEqual(agents.slice(0, 5));
    expect(verification).toMatchObject({ isChainIntact: true, isInTrail: true });
  }
});
