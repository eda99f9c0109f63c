import { z } from 'zod';
import type { ReadDb } from '../../kernel/db.js';
import { notFound } from '../../kernel/errors.js';
import { pageInput, pageOf, readCursor, type Page } from '../../kernel/page.js';
import { defineQuery } from '../../kernel/query.js';
import { incidentState, type Incident } from './incident.entity.js';

/** An incident as shown. */
export interface IncidentView extends Omit<Incident, 'workspaceId'> {
  readonly openedByName: string | null;
  readonly reviewedByName: string | null;
  readonly overdue: boolean;
}

const select = `
  select i.id, i.kind, i.title, i.detail, i.state, i.model_id as "modelId", i.version_id as "versionId",
         i.change_request_id as "changeRequestId", i.opened_by as "openedBy", o.display_name as "openedByName",
         i.opened_at as "openedAt", i.review_due_at as "reviewDueAt", i.verdict, i.review,
         i.reviewed_by as "reviewedBy", r.display_name as "reviewedByName", i.reviewed_at as "reviewedAt",
         i.state = 'OPEN' and i.review_due_at <= $1::timestamptz as overdue
    from incident i
    left join app_user o on o.id::text = i.opened_by
    left join app_user r on r.id::text = i.reviewed_by`;

export const incidentById = defineQuery({
  name: 'incident.byId',
  describe: 'One incident.',
  permission: 'incident:read',
  input: z.object({ id: z.uuid() }),
  handle: async ({ db, input, now }): Promise<IncidentView> => {
    const [row] = await db.sql<IncidentView>(`${select} where i.id = $2`, [now, input.id]);
    if (!row) throw notFound('The incident');
    return row;
  },
});

export const listIncidents = defineQuery({
  name: 'incident.list',
  describe:
    'The incidents of the workspace, newest first; all of them, or those in one state or of one model.',
  permission: 'incident:read',
  input: z.object({ ...pageInput, state: incidentState.nullish(), modelId: z.uuid().nullish() }),
  handle: async ({ db, input, now }): Promise<Page<IncidentView>> => {
    const after = readCursor(input.after);
    const rows = await db.sql<IncidentView>(
      `${select} where ($2::uuid is null or i.id < $2::uuid) and ($3::text is null or i.state = $3)
          and ($4::uuid is null or i.model_id = $4::uuid) order by i.id desc limit $5`,
      [now, after?.[0] ?? null, input.state ?? null, input.modelId ?? null, input.first + 1],
    );
    return pageOf(
      rows,
      input,
      (row) => [row.id],
      (row) => row,
    );
  },
});

/** The open incident of a model whose review has been due the longest, if its time is over. */
export const overdueReview = async (
  db: ReadDb,
  modelId: string,
  now: Date,
): Promise<{ readonly id: string; readonly reviewDueAt: Date } | null> => {
  const [row] = await db.sql<{ id: string; reviewDueAt: Date }>(
    `select id, review_due_at as "reviewDueAt" from incident
      where model_id = $1 and state = 'OPEN' and review_due_at <= $2 order by review_due_at limit 1`,
    [modelId, now],
    'incident.overdue',
  );
  return row ?? null;
};
