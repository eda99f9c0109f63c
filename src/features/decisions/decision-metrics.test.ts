import { expect, test } from 'vitest';
import { givenEndpoint, rich } from '../../testing/given-endpoint.js';
import { testApp } from '../../testing/test-app.js';
import { decideReview } from './decisions.commands/index.js';
import { requestDecision } from './decisions.records.js';

test('a finished decision is counted by its action, and timed when nobody had to wait for a person', async () => {
  const app = await testApp();
  const endpoint = await givenEndpoint(app);
  const decide = async (idempotencyKey: string, statedIncome: number): Promise<void> => {
    const request = {
      endpoint: endpoint.slug,
      idempotencyKey,
      application: rich,
      statedIncome,
      consent: true,
    };
    const actor = app.service();
    await app.record(actor, requestDecision.of(actor, request));
    await app.drainJobs();
  };
  const measured = async (): Promise<string[] | null> =>
    (await app.metrics.registry.metrics()).match(/^countersign_decision\w*_(?:total|count)\b.+$/gm);

  await decide('plain', 80_000);
  await decide('referred', 5_000_000);
  expect(await measured()).toEqual([
    'countersign_decisions_total{action="ACCEPT_STATED_INCOME"} 1',
    'countersign_decision_seconds_count 1',
  ]);

  const reviewer = await app.actor('reviewer');
  const { data } = await app.graphql<{ reviews: { nodes: { id: string }[] } }>(
    reviewer,
    '{ reviews { nodes { id } } }',
  );
  const id = data?.reviews.nodes[0]?.id ?? '';
  await app.run(decideReview, reviewer, { id, action: 'ASK_FOR_DOCUMENTS', reason: 'The sum needs a proof' });
  await app.drainJobs();
  expect(await measured()).toEqual([
    'countersign_decisions_total{action="ACCEPT_STATED_INCOME"} 1',
    'countersign_decisions_total{action="ASK_FOR_DOCUMENTS"} 1',
    'countersign_decision_seconds_count 1',
  ]);
});
