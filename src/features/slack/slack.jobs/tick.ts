import { defineTick } from '../../../kernel/tick.js';
import { wakeJob } from './wake.js';

interface Waiting {
  readonly workspaceId: string;
  readonly organizationId: string | null;
  readonly dueAt: Date;
}

const mostAtOnce = 200;
/** So long, something else goes on with it: the job that has it, or the one that was asked for. */
const patienceSeconds = 60;

/** Goes on with what was left behind: the job that had it gave up, or the one that was asked for was lost. */
export const deliveriesTick = defineTick({
  name: 'slack.deliveries',
  everyMs: 30_000,
  look: async ({ tx, now, enqueue }) => {
    const waiting = await tx.sql<Waiting>(
      `select d.workspace_id as "workspaceId", w.organization_id as "organizationId",
              min(greatest(d.next_at, coalesce(d.held_until, d.next_at))) as "dueAt"
         from slack_delivery d join workspace w on w.id = d.workspace_id
        where d.state in ('WAITING', 'SENDING')
        group by 1, 2
       having min(greatest(d.next_at, coalesce(d.held_until, d.next_at))) < $1::timestamptz - make_interval(secs => $2)
        limit $3`,
      [now, patienceSeconds, mostAtOnce],
    );
    const minute = new Date(Math.floor(now.getTime() / 60_000) * 60_000);
    for (const { workspaceId, organizationId } of waiting) {
      enqueue(wakeJob, {}, { workspaceId, organizationId, key: 'slack.deliveries', dueAt: minute });
    }
  },
});
