import { z } from 'zod';
import { pageInput, pageOf, readCursor, type Page } from '../../../kernel/page.js';
import { defineQuery } from '../../../kernel/query.js';
import { runtimeState, type RuntimeState } from '../runtime.entity.js';
import { needsReconciling, standingsOf } from '../runtime-standing.js';

/** A runtime as shown, with what it said last. */
export interface RuntimeView {
  readonly id: string;
  readonly environment: string;
  readonly modelId: string;
  readonly modelName: string;
  readonly alias: string;
  readonly endpointId: string | null;
  readonly endpoint: string | null;
  readonly instance: string;
  readonly state: RuntimeState;
  readonly since: Date;
  readonly findingId: string | null;
  readonly digests: readonly string[];
  readonly reportedAt: Date | null;
}

export const listRuntimes = defineQuery({
  name: 'runtime.list',
  describe: 'What runs elsewhere, as it was last reported, beside what was approved.',
  permission: 'runtime:read',
  input: z.object({ ...pageInput, state: runtimeState.nullish(), modelId: z.uuid().nullish() }),
  handle: async ({ db, input }): Promise<Page<RuntimeView>> => {
    const after = readCursor(input.after);
    const rows = await db.sql<RuntimeView>(
      `select r.id, r.environment, r.model_id as "modelId", m.name as "modelName", r.alias,
              r.endpoint_id as "endpointId", e.slug as endpoint, r.instance, r.state, r.since,
              r.finding_id as "findingId", coalesce(l.digests, '{}') as digests, l.reported_at as "reportedAt"
         from runtime r
         join registered_model m on m.id = r.model_id
         left join endpoint e on e.id = r.endpoint_id
         left join lateral (select digests, reported_at from deployment_report d where d.runtime_id = r.id
                             order by reported_at desc, id desc limit 1) l on true
        where ($1::uuid is null or r.id < $1::uuid) and ($2::text is null or r.state = $2)
          and ($3::uuid is null or r.model_id = $3)
        order by r.id desc limit $4`,
      [after?.[0] ?? null, input.state ?? null, input.modelId ?? null, input.first + 1],
    );
    return pageOf(
      rows,
      input,
      (row) => [row.id],
      (row) => row,
    );
  },
});

const atOnce = 500;

export const runtimesToReconcile = defineQuery({
  name: 'runtime.toReconcile',
  describe: 'Runtimes of which something else is true now than what is written; a part at a time.',
  permission: 'runtime:read',
  input: z.object({ after: z.uuid().nullish() }),
  handle: async ({ db, input, now }): Promise<{ ids: readonly string[]; next: string | null }> => {
    const rows = await db.sql<{ id: string }>(
      `select id from runtime where state <> 'STOPPED' and ($1::uuid is null or id > $1) order by id limit $2`,
      [input.after ?? null, atOnce],
    );
    const standings = await standingsOf(
      db,
      rows.map(({ id }) => id),
    );
    const ids = standings.filter((standing) => needsReconciling(standing, now)).map(({ id }) => id);
    return { ids, next: rows.length === atOnce ? (rows.at(-1)?.id ?? null) : null };
  },
});
