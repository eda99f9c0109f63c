import { z } from 'zod';
import { notFound } from '../../../kernel/errors.js';
import { pageInput, pageOf, readCursor, type Page } from '../../../kernel/page.js';
import { defineQuery } from '../../../kernel/query.js';
import { reasonPlace } from '../decisions.commands/decide-review.js';
import { reviewState, type ReviewState } from '../human-review.entity.js';
import { decisionState, endpointSlug } from '../request-schema.js';
import { summaryColumns, type DecisionSummary } from './decision-by-id.js';

export const listDecisions = defineQuery({
  name: 'decision.list',
  describe: 'Decisions, the newest first. What they say of a person is shown only one by one.',
  permission: 'decision:read',
  input: z.object({
    endpoint: endpointSlug.nullish(),
    state: decisionState.nullish(),
    action: z.string().max(64).nullish(),
    subjectRef: z.string().max(200).nullish(),
    ...pageInput,
  }),
  handle: async ({ db, input }): Promise<Page<DecisionSummary>> => {
    const after = readCursor(input.after);
    const rows = await db.sql<DecisionSummary>(
      `select ${summaryColumns}
         from decision d join endpoint e on e.id = d.endpoint_id
        where ($1::text is null or e.slug = $1) and ($2::text is null or d.state = $2)
          and ($3::text is null or d.action = $3) and ($4::text is null or d.subject_ref = $4)
          and ($5::uuid is null or d.id < $5::uuid)
        order by d.id desc limit $6`,
      [
        input.endpoint ?? null,
        input.state ?? null,
        input.action ?? null,
        input.subjectRef ?? null,
        after?.[0] ?? null,
        input.first + 1,
      ],
    );
    return pageOf(
      rows,
      input,
      (row) => [row.id],
      (row) => row,
    );
  },
});

/** A review as shown in the list of what waits. */
export interface ReviewView {
  readonly id: string;
  readonly decisionId: string;
  readonly endpoint: string;
  readonly state: ReviewState;
  readonly why: unknown;
  readonly dueAt: Date;
  readonly isOverdue: boolean;
  readonly createdAt: Date;
  readonly action: string | null;
  readonly decidedBy: string | null;
  readonly decidedAt: Date | null;
}

const reviewColumns = `r.id, r.decision_id as "decisionId", e.slug as endpoint, r.state, r.why, r.due_at as "dueAt",
  r.created_at as "createdAt", r.action, r.decided_by::text as "decidedBy", r.decided_at as "decidedAt"`;

type ReviewRow = Omit<ReviewView, 'isOverdue'>;

const viewOf = (row: ReviewRow, now: Date): ReviewView => ({
  ...row,
  isOverdue: row.state === 'OPEN' && row.dueAt < now,
});

export const listReviews = defineQuery({
  name: 'review.list',
  describe: 'Cases that the pipeline referred to a person, the oldest first.',
  permission: 'review:read',
  input: z.object({ state: reviewState.nullish(), endpoint: endpointSlug.nullish(), ...pageInput }),
  handle: async ({ db, input, now }): Promise<Page<ReviewView>> => {
    const after = readCursor(input.after);
    const rows = await db.sql<ReviewRow>(
      `select ${reviewColumns} from human_review r join endpoint e on e.id = r.endpoint_id
        where ($1::text is null or r.state = $1) and ($2::text is null or e.slug = $2)
          and ($3::uuid is null or r.id > $3::uuid)
        order by r.id limit $4`,
      [input.state ?? null, input.endpoint ?? null, after?.[0] ?? null, input.first + 1],
    );
    return pageOf(
      rows,
      input,
      (row) => [row.id],
      (row) => viewOf(row, now),
    );
  },
});

/** A review with what the person wrote. */
export interface ReviewDetail extends ReviewView {
  readonly reason: string | null;
}

export const reviewById = defineQuery({
  name: 'review.read',
  describe: 'A referred case with the reason of the person who decided it; the reading is recorded.',
  permission: 'review:read',
  input: z.object({ id: z.uuid() }),
  recordAccess: (_, result: ReviewDetail) => ({ subject: { kind: 'review', id: result.id } }),
  handle: async ({ db, input, now, unsealer }): Promise<ReviewDetail> => {
    const [row] = await db.sql<ReviewRow & { sealed_reason: string | null; subject_ref: string }>(
      `select ${reviewColumns}, r.sealed_reason, d.subject_ref
         from human_review r join endpoint e on e.id = r.endpoint_id join decision d on d.id = r.decision_id
        where r.id = $1`,
      [input.id],
    );
    if (!row) throw notFound('The review');
    const { sealed_reason, subject_ref, ...view } = row;
    const reason =
      sealed_reason === null ? null : await unsealer.unseal(subject_ref, reasonPlace(row.id), sealed_reason);
    return { ...viewOf(view, now), reason: typeof reason === 'string' ? reason : null };
  },
});
