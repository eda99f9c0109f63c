import { z } from 'zod';
import type { ReadDb } from '../../../kernel/db.js';

/** An entry of the trail, as far as the past is read from it. */
interface TrailEntry {
  readonly subjectId: string;
  readonly at: Date;
  readonly by: string;
  readonly changes: Readonly<Record<string, { readonly to?: unknown }>>;
  readonly facts: Readonly<Record<string, unknown>>;
}

/** What was done to some subjects until a time, oldest first. */
const entriesOf = (db: ReadDb, kind: string, ids: readonly string[], time: Date): Promise<TrailEntry[]> =>
  ids.length === 0
    ? Promise.resolve([])
    : db.sql<TrailEntry>(
        `select e.subject_id as "subjectId", e.at, e.actor_id as by, body -> 'changes' as changes, body -> 'facts' as facts
           from audit_event e cross join lateral (select convert_from(e.canonical, 'UTF8')::jsonb as body) b
          where e.workspace_id = app_workspace() and e.subject_kind = $1 and e.subject_id = any($2)
            and e.outcome = 'done' and e.at <= $3
          order by e.at, e.id`,
        [kind, ids, time],
      );

/** What people had attested about a version in a use case. */
export interface CardThen {
  readonly id: string;
  readonly versionId: string;
  readonly useCaseId: string;
  readonly revision: number;
  /** Field → value, who said so and when. */
  readonly fields: Readonly<
    Record<string, { readonly value: unknown; readonly by: string; readonly at: Date }>
  >;
}

/** A version in a use case. */
export interface CardPlace {
  readonly versionId: string;
  readonly useCaseId: string;
}

interface CardRow extends CardPlace {
  readonly id: string;
}

const cardOf = (row: CardRow, entries: readonly TrailEntry[]): CardThen | null => {
  const own = entries.filter(({ subjectId }) => subjectId === row.id);
  if (own.length === 0) return null;
  const fields = new Map<string, { value: unknown; by: string; at: Date }>();
  for (const { changes, by, at } of own) {
    for (const [name, { to = null }] of Object.entries(changes)) {
      if (to === null) fields.delete(name);
      else fields.set(name, { value: to, by, at });
    }
  }
  const revision = Number(own.at(-1)?.facts['revision'] ?? own.length);
  return { ...row, revision, fields: Object.fromEntries(fields) };
};

/** The cards of versions in their use cases at a time, from every edit that the trail tells of. */
export const cardsThen = async (
  db: ReadDb,
  places: readonly CardPlace[],
  time: Date,
): Promise<CardThen[]> => {
  if (places.length === 0) return [];
  const rows = await db.sql<CardRow>(
    `select c.id, c.version_id as "versionId", c.use_case_id as "useCaseId"
       from model_card c join unnest($1::uuid[], $2::uuid[]) as p(version_id, use_case_id)
         on p.version_id = c.version_id and p.use_case_id = c.use_case_id`,
    [places.map(({ versionId }) => versionId), places.map(({ useCaseId }) => useCaseId)],
  );
  const ids = rows.map(({ id }) => id);
  const entries = await entriesOf(db, 'card', ids, time);
  return rows.flatMap((row) => cardOf(row, entries) ?? []);
};

/** A decision that counted at a time. */
export interface ApprovalThen {
  readonly id: string;
  readonly verdict: string;
  readonly role: string;
  readonly by: string;
  readonly at: Date;
  readonly reason: string;
  readonly manifestSha256: string;
}

/** A change request at a time, with the decisions that counted. */
export interface RequestThen {
  readonly id: string;
  readonly number: number;
  readonly alias: string | null;
  readonly versionId: string | null;
  readonly useCaseId: string | null;
  readonly requestedBy: string;
  readonly state: string;
  readonly approvals: readonly ApprovalThen[];
}

type RequestRow = Omit<RequestThen, 'state' | 'approvals'>;

const decided = z.object({
  approvalId: z.string(),
  verdict: z.string(),
  role: z.string(),
  reason: z.string(),
  manifestSha256: z.string(),
});
const takenBack = z.object({ approvalId: z.string(), withdrawn: z.string() });
const voided = z.object({ voided: z.array(z.object({ approval: z.string() })) });

/** What an entry did to the decisions of its request. */
const applyTo = (counting: Map<string, ApprovalThen>, { facts, by, at }: TrailEntry): void => {
  const back = takenBack.safeParse(facts);
  if (back.success) counting.delete(back.data.approvalId);
  for (const { approval } of voided.safeParse(facts).data?.voided ?? []) counting.delete(approval);
  const given = decided.safeParse(facts);
  if (!given.success) return;
  const { approvalId: id, ...decision } = given.data;
  counting.set(id, { id, ...decision, by, at });
};

const requestOf = (row: RequestRow, entries: readonly TrailEntry[]): RequestThen => {
  const own = entries.filter(({ subjectId }) => subjectId === row.id);
  const counting = new Map<string, ApprovalThen>();
  for (const entry of own) applyTo(counting, entry);
  const state = own.findLast(({ changes }) => changes['state'] !== undefined)?.changes['state']?.to;
  return { ...row, state: typeof state === 'string' ? state : 'OPEN', approvals: [...counting.values()] };
};

const mostRecent = 100;
const waiting = new Set(['OPEN', 'APPROVED']);

/**
 * The requests that mattered at a time: those that had moved what stood there, and those that waited. Among many only
 * the newest are looked at; what stood there is always told.
 */
export const requestsThen = async (
  db: ReadDb,
  modelId: string,
  moved: readonly string[],
  time: Date,
): Promise<RequestThen[]> => {
  const rows = await db.sql<RequestRow>(
    `select id, number, alias, version_id as "versionId", use_case_id as "useCaseId", requested_by as "requestedBy"
       from change_request
      where workspace_id = app_workspace() and created_at <= $3 and (id = any($2) or id in (
        select id from change_request where workspace_id = app_workspace() and model_id = $1 and created_at <= $3
         order by id desc limit ${String(mostRecent)}))
      order by number`,
    [modelId, moved, time],
  );
  const ids = rows.map(({ id }) => id);
  const entries = await entriesOf(db, 'changeRequest', ids, time);
  return rows
    .map((row) => requestOf(row, entries))
    .filter(({ id, state }) => moved.includes(id) || waiting.has(state));
};
