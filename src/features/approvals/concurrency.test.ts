import { beforeAll, expect, test } from 'vitest';
import type { UserActor } from '../../kernel/actor.js';
import { AppError } from '../../kernel/errors.js';
import { testApp, type TestApp } from '../../testing/test-app.js';
import { updateCard } from '../cards/index.js';
import { champion, decide, givenPromotable, givenRequest, type Given } from '../../testing/given-change.js';

let app: TestApp;
beforeAll(async () => {
  app = await testApp();
});

const more = async (role: 'validator' | 'compliance', count: number): Promise<UserActor[]> => {
  const people: UserActor[] = [];
  for (let index = 0; index < count; index += 1) {
    people.push(await app.actor(role, { name: `${role}-${String(index)}` }));
  }
  return people;
};

const outcomes = async (all: readonly Promise<unknown>[]): Promise<string[]> =>
  (await Promise.allSettled(all)).map((one) => {
    if (one.status === 'fulfilled') return 'done';
    if (one.reason instanceof AppError) return String(one.reason.details['rule']);
    throw one.reason;
  });

const executions = async (changeRequestId: string): Promise<number> => {
  const session = { workspaceId: app.workspaceId, organizationId: app.organizationId, commandId: null };
  const rows = await app.db.transact('app_reader', session, (db) =>
    db.sql(
      `select 1 from audit_event where subject_kind = 'alias' and outcome = 'done'
          and convert_from(canonical, 'UTF8')::jsonb -> 'facts' ->> 'changeRequestId' = $1`,
      [changeRequestId],
    ),
  );
  return rows.length;
};

test('of many approvals at the same instant, one of each role counts and the change happens once', async () => {
  const given = await givenPromotable(app);
  const id = await givenRequest(app, given);
  const crowd = [...(await more('validator', 4)), ...(await more('compliance', 4))];

  const results = await outcomes(crowd.map((actor) => decide(app, actor, id)));

  expect(results.filter((one) => one === 'done')).toHaveLength(2);
  expect(
    results.filter((one) => one !== 'done').every((one) => ['quorum-complete', 'closed'].includes(one)),
  ).toBe(true);
  expect(await executions(id)).toBe(1);
  expect(await champion(app, given.modelId)).toBe(given.versionId);
});

test('the same person at two doors counts once', async () => {
  const given = await givenPromotable(app);
  const id = await givenRequest(app, given);

  const results = await outcomes([decide(app, given.validator, id), decide(app, given.validator, id)]);

  expect(results.sort()).toEqual(['already-decided', 'done']);
});

const edit = (given: Given, value: string): Promise<unknown> =>
  app.run(updateCard, given.engineer, {
    versionId: given.versionId,
    useCaseId: given.useCaseId,
    fields: [{ name: 'limitations', value }],
  });

test(
  'two approvals and an edit of the card at the same instant leave one consistent outcome',
  { timeout: 60_000 },
  async () => {
    const seen = new Set<string>();
    for (let round = 0; round < 12; round += 1) {
      const given = await givenPromotable(app);
      const id = await givenRequest(app, given);
      const all = [
        () => decide(app, given.validator, id),
        () => decide(app, given.compliance, id),
        () => edit(given, `edited ${String(round)}`),
      ];
      const turned = [...all.slice(round % 3), ...all.slice(0, round % 3)];
      await outcomes(turned.map((start) => start()));

      const session = { workspaceId: app.workspaceId, organizationId: app.organizationId, commandId: null };
      const [row] = await app.db.transact('app_reader', session, (db) =>
        db.sql<{ state: string; valid: number; sees: string | null }>(
          `select c.state, c.manifest -> 'entries' -> 'card.limitations' ->> 'value' as sees,
                (select count(*)::int from approval a where a.change_request_id = c.id and a.voided_at is null
                    and a.manifest_sha256 = c.manifest_sha256) as valid
           from change_request c where c.id = $1`,
          [id],
        ),
      );
      // Carried out: both approvals are bound to the very manifest that was carried out. Open: champion did not move.
      if (row?.state === 'EXECUTED') expect(row.valid).toBe(2);
      else expect(await champion(app, given.modelId)).toBeUndefined();
      expect(await executions(id)).toBe(row?.state === 'EXECUTED' ? 1 : 0);
      seen.add(row?.state ?? 'none');
    }
    expect([...seen].every((state) => state === 'EXECUTED' || state === 'OPEN')).toBe(true);
  },
);

test('numbers are given once, however many ask at the same instant', async () => {
  const all: Given[] = [];
  for (let index = 0; index < 6; index += 1) all.push(await givenPromotable(app, { bare: true }));

  const ids = await Promise.all(all.map((given) => givenRequest(app, given)));
  const { data } = await app.graphql<{ changeRequests: { nodes: { id: string; number: number }[] } }>(
    await app.actor('engineer'),
    `{ changeRequests { nodes { id number } } }`,
  );

  const numbers =
    data?.changeRequests.nodes.filter((one) => ids.includes(one.id)).map((one) => one.number) ?? [];
  expect(new Set(numbers).size).toBe(6);
  expect(Math.max(...numbers) - Math.min(...numbers)).toBe(5);
});
