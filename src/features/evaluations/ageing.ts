import { z } from 'zod';
import { AppError } from '../../kernel/errors.js';
import type { Tx } from '../../kernel/db.js';
import { defineJob } from '../../kernel/job.js';
import { defineTick } from '../../kernel/tick.js';
import { startEvaluation } from './evaluations.commands/start.js';
import { warnOfAge } from './evaluations.commands/warn.js';
import { reevaluation } from './evaluations.queries/reevaluation.js';

const dayMs = 86_400_000;
const mostAtOnce = 500;

/** How many days ahead people are warned; 0 is when the date has passed. */
const warnDays = [30, 7, 1, 0] as const;

/** From then on a new evaluation is started at each warning, until one has left newer evidence. */
const reevaluateFrom = 7;

/** Evidence behind a protected alias that is about to expire. */
interface Ageing {
  readonly id: string;
  readonly workspaceId: string;
  readonly organizationId: string | null;
  readonly expiresAt: Date;
}

/** The newest evidence of each kind of what was approved and stands behind an alias, if a warning is due. */
const ageing = (tx: Pick<Tx, 'sql'>, now: Date): Promise<Ageing[]> =>
  tx.sql<Ageing>(
    `select e.id, e.workspace_id as "workspaceId", w.organization_id as "organizationId", e.expires_at as "expiresAt"
       from (select distinct workspace_id, version_id, use_case_id from model_alias
              where change_request_id is not null and use_case_id is not null) a
       join workspace w on w.id = a.workspace_id
       cross join unnest(array['PERFORMANCE', 'FAIRNESS', 'ATTRIBUTION', 'DRIFT']) as k (kind)
       cross join lateral (
         select * from evidence n
          where n.version_id = a.version_id and n.use_case_id = a.use_case_id and n.kind = k.kind
          order by n.id desc limit 1) e
       cross join lateral (
         select min(d) as days from unnest($2::int[]) as d
          where e.expires_at <= $1::timestamptz + d * interval '1 day') level
      where level.days is not null
        and not exists (select from evidence_warning g where g.evidence_id = e.id and g.days_ahead <= level.days)
      order by e.expires_at limit $3`,
    [now, warnDays, mostAtOnce],
  );

/** Notes one warning and, where it is time, measures the version again by itself. */
export const warnOfAgeJob = defineJob({
  name: 'evaluations.warnOfAge',
  queue: 'light',
  payload: z.object({ evidenceId: z.uuid(), daysAhead: z.union([z.literal([30, 7, 1, 0])]) }),
  attempts: 8,
  timeoutMs: 30_000,
  handle: async ({ payload, run, ask, actor, log }) => {
    await run(warnOfAge, actor, payload);
    if (payload.daysAhead > reevaluateFrom) return;
    const again = await ask(reevaluation, actor, { evidenceId: payload.evidenceId });
    if (!again) return;
    try {
      await run(startEvaluation, actor, again);
    } catch (error) {
      // The warning stands; that it cannot be measured again by itself is for people to see, not for the job to repeat.
      if (!(error instanceof AppError)) throw error;
      log.warn({ err: error, evidenceId: payload.evidenceId }, 'Old evidence cannot be made anew by itself');
    }
  },
});

/** The clock of evidence. */
export const ageingTick = defineTick({
  name: 'evaluations.ageing',
  everyMs: 60_000,
  look: async ({ tx, now, enqueue }) => {
    for (const { id, workspaceId, organizationId, expiresAt } of await ageing(tx, now)) {
      const left = expiresAt.getTime() - now.getTime();
      const daysAhead = [...warnDays].reverse().find((days) => left <= days * dayMs) ?? 30;
      const dueAt = new Date(expiresAt.getTime() - daysAhead * dayMs);
      const options = { workspaceId, organizationId, key: `${id}/${String(daysAhead)}`, dueAt };
      enqueue(warnOfAgeJob, { evidenceId: id, daysAhead }, options);
    }
  },
});
