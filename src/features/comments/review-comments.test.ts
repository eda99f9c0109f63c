import { randomUUID } from 'node:crypto';
import { beforeAll, expect, test } from 'vitest';
import { inboxOf } from '../../testing/inbox.js';
import { runStatement } from '../../testing/databases.js';
import { testApp, type TestApp } from '../../testing/test-app.js';
import { eraseSubject } from '../audit/index.js';
import { asSystem } from '../../kernel/system.js';

const COMMENT = `mutation ($input: ReviewCommentInput!) { commentOnReview(input: $input) { id unknownMentions } }`;
const LIST = `query ($id: ID!) { comments(subjectKind: review, subjectId: $id) { nodes { id text } } }`;
const ACTIVITY = `query ($id: ID) { activity(subjectId: $id, first: 200) { nodes { sentence command } } }`;
const text = 'Her employer confirmed 4711 on the phone, @compliance and @engineer';

let app: TestApp;
beforeAll(async () => {
  app = await testApp();
});

/** A decision that waits for a person, as the pipeline would have left it. */
const givenReview = async (subjectRef: string): Promise<string> => {
  const [decision, review] = [randomUUID(), randomUUID()];
  await runStatement(
    app.databaseUrl,
    `set session_replication_role = replica;
     insert into decision (id, workspace_id, endpoint_id, use_case_id, source, idempotency_key, request_digest, subject_ref,
                           sealed_request, state, pipeline_version, requested_by, requested_at)
     values ('${decision}', '${app.workspaceId}', '${randomUUID()}', '${randomUUID()}', 'HERE', 'k', 'd', '${subjectRef}',
             's', 'WAITING', '1', 'test', now());
     insert into human_review (id, workspace_id, decision_id, endpoint_id, state, why, due_at, created_at)
     values ('${review}', '${app.workspaceId}', '${decision}', '${randomUUID()}', 'OPEN', '[]', now(), now());
     set session_replication_role = origin;`,
  );
  return review;
};

test('what is said about a decision is sealed, is told to nobody who may not see reviews, and goes with the key', async () => {
  const review = await givenReview('person-7');
  const [reviewer, compliance, engineer] = [
    await app.actor('reviewer'),
    await app.actor('compliance'),
    await app.actor('engineer'),
  ];
  const { data, errors } = await app.graphql<{ commentOnReview: { id: string } }>(reviewer, COMMENT, {
    input: { reviewId: review, text },
  });
  expect(errors).toEqual([]);
  const id = data?.commentOnReview.id ?? '';
  await app.drainJobs();

  const stored = await asSystem(app.db, (tx) =>
    tx.sql<{ text: string }>(
      `select convert_from(canonical, 'utf8') as text from audit_event where subject_id = $1`,
      [id],
    ),
  );
  expect(stored).toHaveLength(1);
  expect(JSON.stringify(stored)).not.toContain('4711');
  expect((await app.graphql(compliance, LIST, { id: review })).data).toEqual({
    comments: { nodes: [{ id, text }] },
  });

  const [told] = (await inboxOf(app, compliance)).inbox.nodes;
  expect(told).toMatchObject({
    event: 'MENTION',
    title: 'Reviewer mentioned you in a comment on a decision under review',
    lines: [],
  });
  expect((await inboxOf(app, engineer)).inbox.nodes).toEqual([]);
  expect(JSON.stringify(app.outside.mails)).not.toContain('4711');

  for (const document of [LIST, ACTIVITY]) {
    expect((await app.graphql(engineer, document, { id: review })).code).toBe('NOT_FOUND');
  }
  const everything = JSON.stringify((await app.graphql(engineer, ACTIVITY, { id: null })).data);
  expect(everything).not.toContain('a decision under review');
  expect(JSON.stringify((await app.graphql(compliance, ACTIVITY, { id: review })).data)).toContain(
    'reviewer commented on a decision under review',
  );

  const confirmed = { subjectId: 'person-7', confirmSubjectId: 'person-7', reason: 'Case 12' };
  await app.run(eraseSubject, compliance, confirmed);
  expect((await app.graphql(compliance, LIST, { id: review })).data).toEqual({
    comments: { nodes: [{ id, text: null }] },
  });
});

test('an engineer comments on no review, and is not told that it is there', async () => {
  const review = await givenReview('person-8');
  const answer = await app.graphql(await app.actor('engineer'), COMMENT, {
    input: { reviewId: review, text },
  });

  expect(answer.code).toBe('FORBIDDEN');
});
