import { setTimeout as pause } from 'node:timers/promises';
import { beforeAll, expect, test } from 'vitest';
import { testApp, type TestApp } from '../../testing/test-app.js';
import { decide, givenPromotable, givenRequest, type Given } from '../../testing/given-change.js';
import { updateCard } from '../cards/index.js';
import { holdPolicy, replacePolicy } from '../registry/index.js';
import { updateUseCase } from '../usecases/index.js';

let app: TestApp;
beforeAll(async () => {
  app = await testApp();
});

interface Outcome {
  /** Entries of the trail; their ids grow with time. */
  readonly moved: string | null;
  readonly changed: string | null;
  /** What was approved. */
  readonly purpose: string;
  readonly limitations: string;
}

const outcomeOf = async (changeRequestId: string, command: string): Promise<Outcome | undefined> => {
  const { workspaceId, organizationId } = app;
  const [row] = await app.db.transact('app_reader', { workspaceId, organizationId, commandId: null }, (db) =>
    db.sql<Outcome>(
      `select c.manifest -> 'entries' ->> 'useCase.purpose' as purpose,
                c.manifest -> 'entries' -> 'card.limitations' ->> 'value' as limitations,
                (select max(id::text) from audit_event where command = $2 and outcome = 'done') as changed,
                (select min(e.id::text) from audit_event e where e.subject_kind = 'alias' and e.outcome = 'done'
                    and convert_from(e.canonical, 'UTF8')::jsonb -> 'facts' ->> 'changeRequestId' = c.id::text) as moved
           from change_request c where c.id = $1`,
      [changeRequestId, command],
    ),
  );
  return row;
};

const edits: readonly (readonly [string, string, (given: Given, text: string) => Promise<unknown>])[] = [
  [
    'the card',
    'card.update',
    ({ engineer, versionId, useCaseId }, value) =>
      app.run(updateCard, engineer, { versionId, useCaseId, fields: [{ name: 'limitations', value }] }),
  ],
  [
    'the use case',
    'useCase.update',
    ({ owner, useCaseId }, purpose) => app.run(updateUseCase, owner, { useCaseId, purpose }),
  ],
];

test.each(edits)(
  'a change of %s that stands in the trail before champion moved is part of what was approved',
  { timeout: 60_000 },
  async (_, command, edit) => {
    for (let round = 0; round < 15; round += 1) {
      const given = await givenPromotable(app);
      const id = await givenRequest(app, given);
      await decide(app, given.validator, id);
      const text = `text ${String(round)}`;
      await Promise.all([
        pause(Math.random() * 10).then(() => decide(app, given.compliance, id)),
        pause(Math.random() * 10).then(() => edit(given, text)),
      ]);

      const outcome = await outcomeOf(id, command);
      if (!outcome?.moved || !outcome.changed || outcome.changed > outcome.moved) continue;
      expect([outcome.purpose, outcome.limitations]).toContain(text);
    }
  },
);

test('a policy is replaced only when nobody acts under it any more', async () => {
  const { workspaceId, organizationId } = app;
  const session = { workspaceId, organizationId, commandId: null };
  const order: string[] = [];

  const acting = app.db.transact('app_writer', session, async (tx) => {
    await holdPolicy(tx);
    await pause(100);
    order.push('acted');
  });
  await pause(30);
  const replacing = app.db.transact('app_writer', session, async (tx) => {
    await replacePolicy(tx);
    order.push('replaced');
  });
  await Promise.all([acting, replacing]);

  expect(order).toEqual(['acted', 'replaced']);
});
