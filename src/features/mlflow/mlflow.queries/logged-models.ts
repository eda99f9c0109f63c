import { z } from 'zod';
import { notFound } from '../../../kernel/errors.js';
import { defineQuery } from '../../../kernel/query.js';
import { hexOf, loggedModelId } from '../../tracking/index.js';
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
import { jsonNumber, present } from './run-view.js';
import { msOf } from './version-view.js';

interface LoggedRow {
  readonly id: string;
  readonly name: string;
  readonly experiment: number;
  readonly createdMs: number;
  readonly updatedMs: number;
  readonly state: string;
  readonly modelType: string;
  readonly sourceRunId: string | null;
  readonly params: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
  readonly versions: readonly { readonly name: string; readonly version: number }[];
  readonly metrics: readonly (Readonly<Record<string, unknown>> & { readonly run_id: string })[];
}

const columns = `
  l.id, l.name, e.number as experiment, ${msOf('l.created_at')} as "createdMs", ${msOf('l.updated_at')} as "updatedMs",
  l.state, l.model_type as "modelType", l.source_run_id as "sourceRunId", l.params, l.tags,
  (select coalesce(json_agg(json_build_object('name', m.name, 'version', v.version) order by m.name, v.version), '[]')
     from model_version v join registered_model m on m.id = v.model_id
    where v.logged_model_id = l.id and v.deleted_at is null and m.deleted_at is null) as versions,
  (select coalesce(json_agg(json_build_object('key', key, 'value', ${jsonNumber('value')}, 'timestamp', at_ms, 'step', step,
                   'run_id', replace(run_id::text, '-', ''), 'dataset_name', dataset_name, 'dataset_digest', dataset_digest)
                   order by key, step, at_ms), '[]')
     from (select distinct on (key, run_id, dataset_name) * from logged_model_metric where model_id = l.id
            order by key, run_id, dataset_name, step desc, at_ms desc) newest) as metrics`;

const from = 'logged_model l join experiment e on e.id = l.experiment_id';

const pairs = (all: Readonly<Record<string, string>>) =>
  Object.entries(all).map(([key, value]) => ({ key, value }));

/** Clients keep, in this tag, which versions were made of the model; here it is known. */
const registered = 'mlflow.modelVersions';

const tagsOf = ({ tags, versions }: LoggedRow) => [
  ...pairs(tags).filter(({ key }) => key !== registered),
  ...(versions.length === 0 ? [] : [{ key: registered, value: JSON.stringify(versions) }]),
];

const loggedView = (row: LoggedRow): Record<string, unknown> => {
  const id = loggedModelId(row.id);
  const experiment = String(row.experiment);
  return {
    info: {
      model_id: id,
      experiment_id: experiment,
      name: row.name,
      creation_timestamp_ms: row.createdMs,
      last_updated_timestamp_ms: row.updatedMs,
      artifact_uri: `mlflow-artifacts:/${experiment}/models/${id}/artifacts`,
      status: `LOGGED_MODEL_${row.state}`,
      model_type: row.modelType,
      ...(row.sourceRunId === null ? {} : { source_run_id: hexOf(row.sourceRunId) }),
      tags: tagsOf(row),
    },
    data: {
      params: pairs(row.params),
      metrics: row.metrics.map((metric) => present({ ...metric, model_id: id })),
    },
  };
};

export const loggedModelById = defineQuery({
  name: 'mlflow.loggedModel',
  describe: 'A logged model.',
  permission: 'run:read',
  input: z.object({ id: z.uuid() }),
  handle: async ({ db, input: { id } }) => {
    const [row] = await db.sql<LoggedRow>(
      `select ${columns} from ${from} where l.id = $1 and l.deleted_at is null`,
      [id],
      'mlflow.loggedModel',
    );
    if (!row) throw notFound(`Logged model with id=${loggedModelId(id)}`);
    return loggedView(row);
  },
});

const fields: Readonly<Record<string, Field>> = {
  name: { sql: 'l.name', type: 'text' },
  model_id: { sql: `'m-' || replace(l.id::text, '-', '')`, type: 'text' },
  model_type: { sql: 'l.model_type', type: 'text' },
  status: { sql: `'LOGGED_MODEL_' || l.state`, type: 'text' },
  source_run_id: { sql: `replace(l.source_run_id::text, '-', '')`, type: 'text' },
  creation_timestamp: { sql: msOf('l.created_at'), type: 'number' },
  creation_time: { sql: msOf('l.created_at'), type: 'number' },
  last_updated_timestamp: { sql: msOf('l.updated_at'), type: 'number' },
};

type Told = (comparison: Comparison, put: Values['put']) => string;

const inJson =
  (column: 'tags' | 'params', what: string): Told =>
  (comparison, put) => {
    const sql = `(l.${column} ->> ${put(comparison.key)}::text)`;
    return conditionOf({ sql, type: 'text' }, `${what} ${comparison.key}`, comparison, put);
  };

const inMetrics: Told = (comparison, put) => {
  const test = conditionOf({ sql: 't.value', type: 'number' }, `metric ${comparison.key}`, comparison, put);
  return `exists (select from logged_model_metric t where t.model_id = l.id and t.key = ${put(comparison.key)}::text and ${test})`;
};

const told: ReadonlyMap<string, Told> = new Map([
  ['tag', inJson('tags', 'tag')],
  ['tags', inJson('tags', 'tag')],
  ['param', inJson('params', 'param')],
  ['params', inJson('params', 'param')],
  ['metric', inMetrics],
  ['metrics', inMetrics],
]);

const condition: Told = (comparison, put) => {
  const { entity, key } = comparison;
  const other = told.get(entity);
  if (other) return other(comparison, put);
  const own = ['', 'attribute', 'attributes'].includes(entity);
  const field = own ? fields[key] : undefined;
  if (field) return conditionOf(field, key, comparison, put);
  throw unknownKey('filter', entity, key, [
    ...Object.keys(fields),
    'tags.<key>',
    'params.<key>',
    'metrics.<key>',
  ]);
};

const order: Readonly<Record<string, Omit<SortKey, 'descending'>>> = {
  name: { sql: 'l.name', type: 'text' },
  creation_time: { sql: 'l.created_at', type: 'timestamptz' },
  creation_timestamp: { sql: 'l.created_at', type: 'timestamptz' },
  last_updated_timestamp: { sql: 'l.updated_at', type: 'timestamptz' },
};

export const searchLoggedModels = defineQuery({
  name: 'mlflow.searchLoggedModels',
  describe: 'Logged models of experiments by filter and order, as MLflow searches them.',
  permission: 'run:read',
  input: z.object({
    ...searchInput,
    experiments: z.array(z.int()).max(1000),
    maxResults: z.int().min(1).max(1000),
  }),
  handle: async ({ db, input }) => {
    const given = values();
    const filter = parseFilter(input.filter).map((one) => condition(one, given.put));
    const { rows, nextPageToken } = await runSearch<LoggedRow>(db, {
      columns,
      from,
      where: [`e.number = any(${given.put(input.experiments)}::int[])`, 'l.deleted_at is null', ...filter],
      order: orderOf(parseOrder(input.orderBy), order, [
        { sql: 'l.created_at', type: 'timestamptz', descending: true },
        { sql: 'l.id', type: 'uuid', descending: false },
      ]),
      values: given,
      limit: input.maxResults,
      pageToken: input.pageToken ?? null,
    });
    return { models: rows.map(loggedView), nextPageToken };
  },
});
