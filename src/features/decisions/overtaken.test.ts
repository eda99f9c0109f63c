import { beforeAll, expect, test } from 'vitest';
import { giveUpJob } from '../../kernel/give-up.js';
import { systemActor } from '../../kernel/actor.js';
import type { RunRecord } from '../../kernel/record.js';
import { asSystem } from '../../kernel/system.js';
import { givenEndpoint, rich, type GivenEndpoint } from '../../testing/given-endpoint.js';
import { testApp, type TestApp } from '../../testing/test-app.js';
import { eraseSubject } from '../audit/index.js';
import { advance } from './decisions.jobs/advance.js';
import { decisionById, requestDecisions, runDecisions } from './index.js';

let app: TestApp;
let endpoint: GivenEndpoint;
beforeAll(async () => {
  app = await testApp();
  endpoint = await givenEndpoint(app);
});

interface Asked {
  readonly id: string;
  readonly jobId: string;
}

const ask = async (subjectRef: string): Promise<Asked> => {
  const requests = [{ idempotencyKey: subjectRef, subjectRef, application: rich, consent: true }];
  const asked = requestDecisions.of(app.service(), { endpoint: endpoint.slug, requests });
  const [accepted] = await app.record(app.service(), asked);
  const [row] = await asSystem(app.db, (tx) =>
    tx.sql<{ id: string }>('delete from outbox where job = $1 returning id', [runDecisions.name]),
  );
  return { id: accepted?.id ?? '', jobId: row?.id ?? '' };
};

/** Works on a decision as a worker does; `before` is awaited before each of its transactions, counted from 1. */
const work = ({ id }: Asked, before: (transaction: number) => Promise<void>): Promise<void> => {
  const { workspaceId, organizationId, ask: askQuery, run, outside, metrics } = app;
  const actor = systemActor(`job:${runDecisions.name}`, { workspaceId, organizationId });
  let transactions = 0;
  const record: RunRecord = async (by, spec) => {
    transactions += 1;
    await before(transactions);
    return app.record(by, spec);
  };
  const { signal } = new AbortController();
  return advance({ ask: askQuery, record, run, actor, outside, signal, metrics }, [id]);
};

const giveUp = async ({ jobId }: Asked): Promise<void> => {
  const { workspaceId, organizationId } = app;
  const actor = systemActor(`job:${runDecisions.name}`, { workspaceId, organizationId });
  const about = {
    id: jobId,
    name: runDecisions.name,
    attempts: 6,
    reason: 'It took too long',
    code: 'INTERNAL',
  };
  await app.run(giveUpJob, actor, about);
  await app.drainJobs();
};

test.each([
  ['before its first step', 2, []],
  ['in the middle', 4, ['intake', 'scoring']],
])(
  'a run that was given up %s stays as it was ended, whatever its worker still does',
  async (_, at, agents) => {
    const asked = await ask(`given-up-${String(at)}`);

    await work(asked, async (transaction) => {
      if (transaction === at) await giveUp(asked);
    });

    const decision = await app.ask(decisionById, await app.actor('reviewer'), { id: asked.id });
    expect(decision).toMatchObject({ state: 'FAILED', action: null, failure: { rule: 'job-given-up' } });
    expect(decision.steps.filter(({ status }) => status === 'done').map(({ agent }) => agent)).toEqual(
      agents,
    );
    expect(decision.verification).toMatchObject({ isChainIntact: true, isInTrail: true, fault: null });
  },
);

test('a person whose data is erased while the case is worked on is not decided about', async () => {
  const asked = await ask('erased-meanwhile');

  await work(asked, async (transaction) => {
    if (transaction !== 1) return;
    const erasure = {
      subjectId: 'erased-meanwhile',
      confirmSubjectId: 'erased-meanwhile',
      reason: 'case 12',
    };
    await app.run(eraseSubject, await app.actor('compliance'), erasure);
  });

  const decision = await app.ask(decisionById, await app.actor('reviewer'), { id: asked.id });
  expect(decision).toMatchObject({ state: 'REFUSED', failure: { rule: 'subject-erased' }, isErased: true });
  expect(decision.verification).toMatchObject({ isChainIntact: true, isInTrail: true, fault: null });
});
