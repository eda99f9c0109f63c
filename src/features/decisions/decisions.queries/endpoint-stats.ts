import { z } from 'zod';
import { notFound } from '../../../kernel/errors.js';
import { defineQuery } from '../../../kernel/query.js';
import { endpointSlug } from '../request-schema.js';

/** How often something happened. */
export interface Count {
  readonly name: string;
  readonly count: number;
}

/** What an endpoint did in a period. */
export interface EndpointStats {
  readonly endpoint: string;
  readonly from: Date;
  readonly to: Date;
  readonly n: number;
  readonly states: readonly Count[];
  readonly actions: readonly Count[];
  readonly decidedBy: readonly Count[];
  /** From request to finished decision, for those that needed no person; null below 20 of them. */
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  readonly openReviews: number;
  readonly overdueReviews: number;
}

interface Row {
  readonly kind: 'state' | 'action' | 'decidedBy';
  readonly name: string;
  readonly count: number;
}

const day = 86_400_000;
const fewest = 20;

export const endpointStats = defineQuery({
  name: 'endpoint.stats',
  describe: 'What an endpoint decided in a period (the last day when none is given), in numbers.',
  permission: 'endpoint:read',
  input: z.object({ endpoint: endpointSlug, from: z.coerce.date().nullish(), to: z.coerce.date().nullish() }),
  handle: async ({ db, input, now }): Promise<EndpointStats> => {
    const [endpoint] = await db.sql<{ id: string }>('select id from endpoint where slug = $1', [
      input.endpoint,
    ]);
    if (!endpoint) throw notFound(`The endpoint ${input.endpoint}`);
    const to = input.to ?? now;
    const from = input.from ?? new Date(to.getTime() - day);
    const period = [endpoint.id, from, to];
    const rows = await db.sql<Row>(counts, period);
    const [times = noTimes] = await db.sql<Times>(latencies, period);
    const [reviews = noReviews] = await db.sql<Reviews>(openReviews, [endpoint.id, now]);
    const of = (kind: Row['kind']): Count[] =>
      rows.filter((row) => row.kind === kind).map(({ name, count }) => ({ name, count }));
    const states = of('state');
    return {
      endpoint: input.endpoint,
      from,
      to,
      n: states.reduce((sum, { count }) => sum + count, 0),
      states,
      actions: of('action'),
      decidedBy: of('decidedBy'),
      ...(times.n >= fewest ? { p50Ms: times.p50, p99Ms: times.p99 } : { p50Ms: null, p99Ms: null }),
      ...reviews,
    };
  },
});

interface Times {
  readonly n: number;
  readonly p50: number | null;
  readonly p99: number | null;
}

interface Reviews {
  readonly openReviews: number;
  readonly overdueReviews: number;
}

const noTimes: Times = { n: 0, p50: null, p99: null };
const noReviews: Reviews = { openReviews: 0, overdueReviews: 0 };

const within = `from decision where endpoint_id = $1 and requested_at >= $2 and requested_at < $3`;

const counts = `
  select 'state' as kind, state as name, count(*)::int as count ${within} group by state
  union all
  select 'action', action, count(*)::int ${within} and action is not null group by action
  union all
  select 'decidedBy', decided_by, count(*)::int ${within} and decided_by is not null group by decided_by
  order by 1, 2`;

const latencies = `
  select count(*)::int as n,
         percentile_disc(0.5) within group (order by ms) as p50, percentile_disc(0.99) within group (order by ms) as p99
    from (select (extract(epoch from finished_at - requested_at) * 1000)::float8 as ms ${within}
             and source = 'HERE' and state = 'DONE' and decided_by <> 'person') as finished`;

const openReviews = `
  select count(*)::int as "openReviews", (count(*) filter (where due_at < $2))::int as "overdueReviews"
    from human_review where endpoint_id = $1 and state = 'OPEN'`;
