import { z } from 'zod';
import { invalidInput, notFound } from '../../../kernel/errors.js';
import { defineQuery } from '../../../kernel/query.js';
import { hexOf } from '../../tracking/index.js';
import { parseFilter, parseOrder, type Comparison, type OrderTerm } from '../filter.js';
import {
  conditionOf,
  runSearch,
  unknownKey,
  values,
  type Field,
  type SortKey,
  type Values,
} from '../search.js';
import { viewCondition, viewType } from './experiments.js';
import { searchInput } from './models.js';
import { jsonNumber, runColumns, runDeleted, runInfo, runsFrom, runView, type RunRow } from './run-view.js';
import { msOf } from './version-view.js';

export const runById = defineQuery({
  name: 'mlflow.run',
  describe: 'A run with what it told.',
  permission: 'run:read',
  input: z.object({ id: z.uuid() }),
  handle: async ({ db, input: { id } }) => {
    const [row] = await db.sql<RunRow>(
      `select ${runColumns} from ${runsFrom} where r.id = $1`,
      [id],
      'mlflow.run',
    );
    if (!row) throw notFound(`Run with id=${hexOf(id)}`);
    return { run: runView(row), info: runInfo(row) };
  },
});

const attributes: Readonly<Record<string, Field>> = {
  run_id: { sql: `replace(r.id::text, '-', '')`, type: 'text' },
  run_name: { sql: 'r.name', type: 'text' },
  status: { sql: 'r.state', type: 'text' },
  user_id: { sql: 'r.claimed_user', type: 'text' },
  artifact_uri: {
    sql: `'mlflow-artifacts:/' || e.number || '/' || replace(r.id::text, '-', '') || '/artifacts'`,
    type: 'text',
  },
  start_time: { sql: msOf('r.started_at'), type: 'number' },
  end_time: { sql: msOf('r.ended_at'), type: 'number' },
  created: { sql: msOf('r.started_at'), type: 'number' },
};

const other: Readonly<Record<string, string>> = {
  'run name': 'run_name',
  'Run name': 'run_name',
  'Run Name': 'run_name',
  Created: 'start_time',
};

const isOwn = (entity: string): boolean => ['', 'attribute', 'attributes', 'attr', 'run'].includes(entity);

type Kind = 'metric' | 'param' | 'tag' | 'dataset' | null;

const kindOf = (entity: string): Kind => {
  if (entity === 'metric' || entity === 'metrics') return 'metric';
  if (['param', 'params', 'parameter', 'parameters'].includes(entity)) return 'param';
  if (entity === 'tag' || entity === 'tags') return 'tag';
  return ['dataset', 'datasets'].includes(entity) ? 'dataset' : null;
};

const places = {
  metric: { table: 'run_metric_latest', type: 'number' },
  param: { table: 'run_param', type: 'text' },
  tag: { table: 'run_tag', type: 'text' },
} as const;

const datasetCondition = (comparison: Comparison, put: Values['put']): string => {
  const { key } = comparison;
  const inside: Readonly<Record<string, string>> = {
    name: 'd.name',
    digest: 'd.digest',
    context: `(select t ->> 'value' from jsonb_array_elements(d.tags) t where t ->> 'key' = 'mlflow.data.context' limit 1)`,
  };
  const sql = inside[key];
  if (sql === undefined) throw unknownKey('filter', 'dataset', key, Object.keys(inside));
  const test = conditionOf({ sql, type: 'text' }, `dataset.${key}`, comparison, put);
  return `exists (select from run_dataset d where d.run_id = r.id and ${test})`;
};

const toldCondition = (
  kind: 'metric' | 'param' | 'tag',
  comparison: Comparison,
  put: Values['put'],
): string => {
  const { key, operator } = comparison;
  const { table, type } = places[kind];
  const from = `${table} t where t.run_id = r.id and t.key = ${put(key)}::text`;
  if (operator === 'IS NULL') return `not exists (select from ${from} and t.value is not null)`;
  const test = conditionOf({ sql: 't.value', type }, `${kind} ${key}`, comparison, put);
  return `exists (select from ${from} and ${test})`;
};

const condition = (comparison: Comparison, put: Values['put']): string => {
  const { entity, key } = comparison;
  const kind = kindOf(entity);
  if (kind === 'dataset') return datasetCondition(comparison, put);
  if (kind !== null) return toldCondition(kind, comparison, put);
  const field = isOwn(entity) ? attributes[other[key] ?? key] : undefined;
  if (!field) {
    throw unknownKey('filter', entity, key, [
      ...Object.keys(attributes),
      'metrics.<key>',
      'params.<key>',
      'tags.<key>',
    ]);
  }
  return conditionOf(field, key, comparison, put);
};

const own = (key: string, descending: boolean): SortKey[] => {
  const keys: Readonly<Record<string, SortKey[]>> = {
    start_time: [{ sql: 'r.started_at', type: 'timestamptz', descending }],
    // What has not ended comes last either way.
    end_time: [
      { sql: '(r.ended_at is null)::int', type: 'bigint', descending: false },
      { sql: `coalesce(r.ended_at, 'epoch')`, type: 'timestamptz', descending },
    ],
    run_id: [{ sql: 'r.id', type: 'uuid', descending }],
    run_name: [{ sql: 'r.name', type: 'text', descending }],
    status: [{ sql: 'r.state', type: 'text', descending }],
    user_id: [{ sql: 'r.claimed_user', type: 'text', descending }],
    artifact_uri: [{ sql: 'r.id', type: 'uuid', descending }],
    created: [{ sql: 'r.started_at', type: 'timestamptz', descending }],
  };
  const found = keys[other[key] ?? key];
  if (!found) throw unknownKey('order_by', '', key, Object.keys(keys));
  return found;
};

/** Runs without the value come last, whichever way the others go; so do values that are no numbers. */
const told = (
  kind: 'metric' | 'param' | 'tag',
  key: string,
  descending: boolean,
  put: Values['put'],
): SortKey[] => {
  const { table } = places[kind];
  const value = `(select t.value from ${table} t where t.run_id = r.id and t.key = ${put(key)}::text)`;
  const isNumber = kind === 'metric';
  const rank = isNumber
    ? `case when ${value} is null then 2 when ${value} = 'NaN' then 1 else 0 end`
    : `case when ${value} is null then 1 else 0 end`;
  return [
    { sql: rank, type: 'bigint', descending: false },
    { sql: `coalesce(${value}, ${isNumber ? '0' : `''`})`, type: isNumber ? 'float8' : 'text', descending },
  ];
};

const sortKeys = ({ entity, key, descending }: OrderTerm, put: Values['put']): SortKey[] => {
  const kind = kindOf(entity);
  if (kind === 'dataset') throw unknownKey('order_by', entity, key, Object.keys(attributes));
  if (kind !== null) return told(kind, key, descending, put);
  if (isOwn(entity)) return own(key, descending);
  throw unknownKey('order_by', entity, key, Object.keys(attributes));
};

export const searchRuns = defineQuery({
  name: 'mlflow.searchRuns',
  describe: 'Runs of experiments by filter and order, as MLflow searches them.',
  permission: 'run:read',
  input: z.object({
    ...searchInput,
    experiments: z.array(z.int()).max(1000),
    maxResults: z.int().min(1).max(50_000),
    view: viewType,
  }),
  handle: async ({ db, input }) => {
    const given = values();
    const filter = parseFilter(input.filter).map((one) => condition(one, given.put));
    const { rows, nextPageToken } = await runSearch<RunRow>(db, {
      columns: runColumns,
      from: runsFrom,
      where: [
        `e.number = any(${given.put(input.experiments)}::int[])`,
        ...viewCondition(input.view, runDeleted),
        ...filter,
      ],
      order: [
        ...parseOrder(input.orderBy).flatMap((term) => sortKeys(term, given.put)),
        { sql: 'r.started_at', type: 'timestamptz', descending: true },
        { sql: 'r.id', type: 'uuid', descending: false },
      ],
      values: given,
      limit: Math.min(input.maxResults, 5000),
      pageToken: input.pageToken ?? null,
    });
    return { runs: rows.map(runView), nextPageToken };
  },
});

interface Measured {
  readonly key: string;
  readonly value: number | string;
  readonly timestamp: number;
  readonly step: number;
}

export const metricHistory = defineQuery({
  name: 'mlflow.metricHistory',
  describe: 'Every value that a metric of a run had, oldest first.',
  permission: 'run:read',
  input: z.object({
    runId: z.uuid(),
    key: z.string().min(1).max(250),
    maxResults: z.int().min(1).max(1_000_000),
    pageToken: z.string().max(1000).nullish(),
  }),
  handle: async ({ db, input: { runId, key, maxResults, pageToken } }) => {
    const [run] = await db.sql('select 1 from training_run where id = $1', [runId]);
    if (!run) throw notFound(`Run with id=${hexOf(runId)}`);
    const given = values();
    return runSearch<Measured>(db, {
      columns: `t.key, ${jsonNumber('t.value')} as value, t.at_ms::float8 as timestamp, t.step::float8 as step`,
      from: 'run_metric t',
      where: [`t.run_id = ${given.put(runId)}::uuid`, `t.key = ${given.put(key)}::text`],
      order: [
        { sql: 't.at_ms', type: 'bigint', descending: false },
        { sql: 't.step', type: 'bigint', descending: false },
        { sql: 't.value', type: 'float8', descending: false },
      ],
      values: given,
      limit: Math.min(maxResults, 25_000),
      pageToken: pageToken ?? null,
    });
  },
});

/** The number behind an experiment's text; what has another form is not found. */
export const experimentNumber = (text: string): number => {
  if (text === '')
    throw invalidInput('Missing value for required parameter experiment_id', [
      { path: 'experiment_id', message: 'is missing' },
    ]);
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw notFound(`Experiment with id=${text.slice(0, 64)}`);
};
