import { z } from 'zod';
import { notFound } from '../../../kernel/errors.js';
import { defineQuery } from '../../../kernel/query.js';
import { parseFilter, parseOrder, type Comparison } from '../filter.js';
import {
  conditionOf,
  orderOf,
  runSearch,
  unknownKey,
  values,
  type Field,
  type SortKey,
  type Values,
} from '../search.js';
import { searchInput } from './models.js';
import { msOf } from './version-view.js';

interface ExperimentRow {
  readonly number: number;
  readonly name: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly createdMs: number;
  readonly updatedMs: number;
  readonly deleted: boolean;
}

const columns = `e.number, e.name, e.tags, ${msOf('e.created_at')} as "createdMs", ${msOf('e.updated_at')} as "updatedMs",
  e.deleted_at is not null as deleted`;

const experimentView = (row: ExperimentRow): Record<string, unknown> => ({
  experiment_id: String(row.number),
  name: row.name,
  artifact_location: `mlflow-artifacts:/${String(row.number)}`,
  lifecycle_stage: row.deleted ? 'deleted' : 'active',
  creation_time: row.createdMs,
  last_update_time: row.updatedMs,
  tags: Object.entries(row.tags).map(([key, value]) => ({ key, value })),
});

export const experimentBy = defineQuery({
  name: 'mlflow.experiment',
  describe: 'An experiment by its number or its name.',
  permission: 'run:read',
  input: z.union([z.object({ number: z.int().min(0) }), z.object({ name: z.string().min(1).max(500) })]),
  handle: async ({ db, input }) => {
    const by = 'number' in input ? 'e.number' : 'e.name';
    const value = 'number' in input ? input.number : input.name;
    const [row] = await db.sql<ExperimentRow>(`select ${columns} from experiment e where ${by} = $1`, [
      value,
    ]);
    if (row) return experimentView(row);
    throw notFound(
      'number' in input ? `Experiment with id=${String(value)}` : `Experiment with name '${String(value)}'`,
    );
  },
});

const fields: Readonly<Record<string, Field>> = {
  name: { sql: 'e.name', type: 'text' },
  creation_time: { sql: msOf('e.created_at'), type: 'number' },
  last_update_time: { sql: msOf('e.updated_at'), type: 'number' },
};

const order: Readonly<Record<string, Omit<SortKey, 'descending'>>> = {
  name: { sql: 'e.name', type: 'text' },
  experiment_id: { sql: 'e.number', type: 'bigint' },
  creation_time: { sql: 'e.created_at', type: 'timestamptz' },
  last_update_time: { sql: 'e.updated_at', type: 'timestamptz' },
};

const condition = (comparison: Comparison, put: Values['put']): string => {
  const { entity, key } = comparison;
  if (entity === 'tag' || entity === 'tags') {
    const field = { sql: `(e.tags ->> ${put(key)}::text)`, type: 'text' } as const;
    return conditionOf(field, `tag ${key}`, comparison, put);
  }
  const own = entity === '' || entity === 'attribute' || entity === 'attributes';
  const field = own ? fields[key] : undefined;
  if (!field) throw unknownKey('filter', entity, key, [...Object.keys(fields), 'tags.<key>']);
  return conditionOf(field, key, comparison, put);
};

/** Which rows of those that may be deleted. */
export const viewType = z.enum(['ACTIVE_ONLY', 'DELETED_ONLY', 'ALL']).default('ACTIVE_ONLY');

/** The condition of a view over a column that says when something was deleted. */
export const viewCondition = (view: z.output<typeof viewType>, isDeleted: string): string[] =>
  view === 'ALL' ? [] : [view === 'ACTIVE_ONLY' ? `not (${isDeleted})` : `(${isDeleted})`];

export const searchExperiments = defineQuery({
  name: 'mlflow.searchExperiments',
  describe: 'Experiments by filter and order, as MLflow searches them.',
  permission: 'run:read',
  input: z.object({ ...searchInput, maxResults: z.int().min(1).max(50_000), view: viewType }),
  handle: async ({ db, input }) => {
    const given = values();
    const filter = parseFilter(input.filter).map((one) => condition(one, given.put));
    const { rows, nextPageToken } = await runSearch<ExperimentRow>(db, {
      columns,
      from: 'experiment e',
      where: [...viewCondition(input.view, 'e.deleted_at is not null'), ...filter],
      order: orderOf(parseOrder(input.orderBy), order, [
        { sql: 'e.created_at', type: 'timestamptz', descending: true },
        { sql: 'e.number', type: 'bigint', descending: true },
      ]),
      values: given,
      limit: Math.min(input.maxResults, 1000),
      pageToken: input.pageToken ?? null,
    });
    return { experiments: rows.map(experimentView), nextPageToken };
  },
});
