import type { Tx } from '../../../kernel/db.js';
import { conflict } from '../../../kernel/errors.js';

/** One tag of a run; without a value it is taken away. */
export interface TagRow {
  readonly runId: string;
  readonly key: string;
  readonly value: string | null;
}

/** One parameter of a run. */
export interface ParamRow {
  readonly runId: string;
  readonly key: string;
  readonly value: string;
}

/** One measurement. */
export interface MetricRow {
  readonly runId: string;
  readonly key: string;
  readonly value: number;
  readonly atMs: number;
  readonly step: number;
  readonly modelId: string | null;
  readonly datasetName: string | null;
  readonly datasetDigest: string | null;
}

const column = <Row, Value>(rows: readonly Row[], of: (row: Row) => Value): Value[] => rows.map(of);

/** The last of each key wins, as if they had come one after the other. */
const lastOfEach = <Row extends { runId: string; key: string }>(rows: readonly Row[]): Row[] => [
  ...new Map(rows.map((row) => [`${row.runId} ${row.key}`, row])).values(),
];

/** Sets tags of runs. */
export const writeTags = async (
  tx: Tx,
  { workspaceId, tags }: { workspaceId: string; tags: readonly TagRow[] },
): Promise<void> => {
  if (tags.length === 0) return;
  const rows = lastOfEach(tags);
  await tx.sql(
    `insert into run_tag (workspace_id, run_id, key, value)
     select $1, * from unnest($2::uuid[], $3::text[], $4::text[])
     on conflict (run_id, key) do update set value = excluded.value`,
    [
      workspaceId,
      column(rows, (row) => row.runId),
      column(rows, (row) => row.key),
      column(rows, (row) => row.value),
    ],
    'tracking.tags',
  );
};

/** Adds parameters; one that has another value already is refused, because what was trained with it stays true. */
export const writeParams = async (
  tx: Tx,
  { workspaceId, params }: { workspaceId: string; params: readonly ParamRow[] },
): Promise<void> => {
  if (params.length === 0) return;
  const values = [
    column(params, (row) => row.runId),
    column(params, (row) => row.key),
    column(params, (row) => row.value),
  ];
  await tx.sql(
    `insert into run_param (workspace_id, run_id, key, value)
     select $1, * from unnest($2::uuid[], $3::text[], $4::text[]) on conflict (run_id, key) do nothing`,
    [workspaceId, ...values],
    'tracking.params',
  );
  const [other] = await tx.sql<{ key: string; stands: string; given: string }>(
    `select p.key, left(p.value, 200) as stands, left(given.value, 200) as given
       from unnest($1::uuid[], $2::text[], $3::text[]) as given (run_id, key, value)
       join run_param p on p.run_id = given.run_id and p.key = given.key
      where p.value is distinct from given.value limit 1`,
    values,
    'tracking.otherParams',
  );
  if (!other) return;
  throw conflict(
    `Changing param values is not allowed. Param with key='${other.key}' was already logged with value='${other.stands}'. Attempted logging new value '${other.given}'.`,
    { rule: 'param-fixed', key: other.key },
  );
};

/** The newest of each key: by step, then by time, then by value. */
const newestOfEach = (rows: readonly MetricRow[]): MetricRow[] => {
  const newest = new Map<string, MetricRow>();
  for (const row of rows) {
    const key = `${row.runId} ${row.key}`;
    const known = newest.get(key);
    if (!known || isNewer(row, known)) newest.set(key, row);
  }
  return [...newest.values()];
};

const isNewer = (one: MetricRow, other: MetricRow): boolean => {
  if (one.step !== other.step) return one.step > other.step;
  if (one.atMs !== other.atMs) return one.atMs > other.atMs;
  // As PostgreSQL orders them: what is no number comes last.
  return Number.isNaN(one.value) || one.value > other.value;
};

const columnsOf = (rows: readonly MetricRow[]): unknown[] => [
  column(rows, (row) => row.runId),
  column(rows, (row) => row.key),
  column(rows, (row) => row.atMs),
  column(rows, (row) => row.step),
  column(rows, (row) => row.value),
];

const writeModelMetrics = async (
  tx: Tx,
  workspaceId: string,
  metrics: readonly MetricRow[],
): Promise<void> => {
  const rows = metrics.filter(({ modelId }) => modelId !== null);
  if (rows.length === 0) return;
  await tx.sql(
    `insert into logged_model_metric (workspace_id, model_id, run_id, key, at_ms, step, value, dataset_name, dataset_digest)
     select $1, m.id, given.run_id, key, at_ms, step, value, dataset_name, dataset_digest
       from unnest($2::uuid[], $3::text[], $4::bigint[], $5::bigint[], $6::float8[], $7::uuid[], $8::text[], $9::text[])
            as given (run_id, key, at_ms, step, value, model_id, dataset_name, dataset_digest)
       join logged_model m on m.id = given.model_id
     on conflict do nothing`,
    [
      workspaceId,
      ...columnsOf(rows),
      column(rows, (row) => row.modelId),
      column(rows, (row) => row.datasetName),
      column(rows, (row) => row.datasetDigest),
    ],
  );
};

/** Adds measurements and keeps the newest of each key at hand. */
export const writeMetrics = async (
  tx: Tx,
  { workspaceId, metrics }: { workspaceId: string; metrics: readonly MetricRow[] },
): Promise<void> => {
  if (metrics.length === 0) return;
  await tx.sql(
    `insert into run_metric (workspace_id, run_id, key, at_ms, step, value)
     select $1, * from unnest($2::uuid[], $3::text[], $4::bigint[], $5::bigint[], $6::float8[]) on conflict do nothing`,
    [workspaceId, ...columnsOf(metrics)],
    'tracking.metrics',
  );
  await tx.sql(
    `insert into run_metric_latest as l (workspace_id, run_id, key, at_ms, step, value)
     select $1, * from unnest($2::uuid[], $3::text[], $4::bigint[], $5::bigint[], $6::float8[])
     on conflict (run_id, key) do update set at_ms = excluded.at_ms, step = excluded.step, value = excluded.value
      where (excluded.step, excluded.at_ms, excluded.value) > (l.step, l.at_ms, l.value)`,
    // In one order, so that two who write the same keys do not wait for each other in a circle.
    [
      workspaceId,
      ...columnsOf(newestOfEach(metrics).toSorted((one, other) => (one.key < other.key ? -1 : 1))),
    ],
    'tracking.latest',
  );
  await writeModelMetrics(tx, workspaceId, metrics);
};
