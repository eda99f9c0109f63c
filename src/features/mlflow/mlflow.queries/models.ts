import { z } from 'zod';
import type { ReadDb } from '../../../kernel/db.js';
import { AppError, invalidInput } from '../../../kernel/errors.js';
import { defineQuery } from '../../../kernel/query.js';
import { foldName } from '../../registry/index.js';
import { parseFilter, parseOrder, type Comparison } from '../filter.js';
import { conditionOf, orderOf, runSearch, unknownKey, values, type SortKey, type Values } from '../search.js';
import {
  msOf,
  updatedAt,
  versionColumns,
  versionsFrom,
  versionView,
  withDetails,
  type BareVersion,
  type KeyValue,
  type VersionRow,
} from './version-view.js';

interface ModelRow {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly createdBy: string;
  readonly createdMs: number;
  readonly updatedMs: number;
  readonly tags: readonly KeyValue[];
  readonly aliases: readonly { readonly alias: string; readonly version: string }[];
}

const modelColumns = `
  m.id, m.name, m.description, m.created_by as "createdBy", ${msOf('m.created_at')} as "createdMs",
  ${msOf('coalesce(m.updated_at, m.created_at)')} as "updatedMs",
  (select coalesce(json_agg(json_build_object('key', t.key, 'value', t.value) order by t.key), '[]')
     from model_tag t where t.model_id = m.id and t.version_id is null) as tags,
  (select coalesce(json_agg(json_build_object('alias', a.name, 'version', v.version::text) order by a.name), '[]')
     from model_alias a join model_version v on v.id = a.version_id where a.model_id = m.id) as aliases`;

/** The newest version in each stage, of all models of a page at once. */
const latestOf = async (
  db: ReadDb,
  modelIds: readonly string[],
  stages: readonly string[] | null,
): Promise<VersionRow[]> =>
  modelIds.length === 0
    ? []
    : withDetails(
        db,
        await db.sql<BareVersion>(
          `select ${versionColumns} from ${versionsFrom}
          where v.id in (
            select distinct on (l.model_id, l.stage) l.id from model_version l
             where l.model_id = any($1) and l.deleted_at is null and ($2::text[] is null or l.stage = any($2))
             order by l.model_id, l.stage, l.version desc)
          order by v.stage, v.version`,
          [modelIds, stages],
          'mlflow.latest',
        ),
      );

const modelView = (row: ModelRow, latest: readonly VersionRow[]): Record<string, unknown> => ({
  name: row.name,
  creation_timestamp: row.createdMs,
  last_updated_timestamp: row.updatedMs,
  user_id: row.createdBy,
  description: row.description,
  latest_versions: latest.filter(({ modelId }) => modelId === row.id).map(versionView),
  tags: row.tags,
  aliases: row.aliases,
});

/** A model as it is when it was just made. */
export const newModelView = (
  made: Pick<ModelRow, 'id' | 'name' | 'description' | 'createdBy'> & { readonly createdAt: Date },
): Record<string, unknown> => {
  const at = made.createdAt.getTime();
  return modelView({ ...made, createdMs: at, updatedMs: at, tags: [], aliases: [] }, []);
};

/** No such model; one whose name only looks like it is named, so that nobody wonders. */
export const modelNotFound = (name: string, alike: string | undefined): AppError =>
  new AppError(
    'NOT_FOUND',
    `Registered Model with name=${name.slice(0, 200)} not found` +
      (alike === undefined ? '' : `. There is one whose name reads the same: ${alike}`),
  );

const named = async (db: ReadDb, name: string): Promise<ModelRow> => {
  const [row] = await db.sql<ModelRow>(
    `select ${modelColumns} from registered_model m where m.deleted_at is null and m.folded = $1`,
    [foldName(name)],
    'mlflow.model',
  );
  if (row?.name !== name) throw modelNotFound(name, row?.name);
  return row;
};

/** A name as it is asked for; what no model can be called is not found. */
export const askedName = z.string().min(1).max(1000);

export const modelOfName = defineQuery({
  name: 'mlflow.model',
  describe: 'A model by name, as MLflow shows it.',
  permission: 'model:read',
  input: z.object({ name: askedName }),
  handle: async ({ db, input: { name } }) => {
    const row = await named(db, name);
    return modelView(row, await latestOf(db, [row.id], null));
  },
});

export const latestVersions = defineQuery({
  name: 'mlflow.latestVersions',
  describe: 'The newest version of a model in each stage asked for.',
  permission: 'modelVersion:read',
  input: z.object({ name: askedName, stages: z.array(z.string()).nullable() }),
  handle: async ({ db, input: { name, stages } }) => {
    const { id } = await named(db, name);
    return (await latestOf(db, [id], stages)).map(versionView);
  },
});

const promptTag = 'mlflow.prompt.is_prompt';

const tagCondition = (comparison: Comparison, put: Values['put']): string => {
  const { key, operator } = comparison;
  const equal = operator === '=' ? ` and t.value_start = left(${put(comparison.value)}::text, 100)` : '';
  const field = { sql: 't.value', type: 'text' } as const;
  const condition = conditionOf(field, `tag ${key}`, comparison, put);
  const exists = `exists (select from model_tag t where t.model_id = m.id and t.version_id is null
                            and t.key = ${put(key)}::text${equal} and ${condition})`;
  // What is no prompt has no tag that says so.
  if (key !== promptTag || operator !== '!=') return exists;
  return `(${exists} or not exists (select from model_tag t where t.model_id = m.id and t.version_id is null and t.key = ${put(key)}::text))`;
};

const condition = (comparison: Comparison, put: Values['put']): string => {
  const { entity, key } = comparison;
  if (entity === 'tag' || entity === 'tags') return tagCondition(comparison, put);
  if ((entity === '' || entity === 'attribute' || entity === 'attributes') && key === 'name')
    return conditionOf({ sql: 'm.name', type: 'text' }, 'name', comparison, put);
  throw unknownKey('filter', entity, key, ['name', 'tags.<key>']);
};

const modelOrder: Readonly<Record<string, Omit<SortKey, 'descending'>>> = {
  name: { sql: 'm.name', type: 'text' },
  creation_timestamp: { sql: 'm.created_at', type: 'timestamptz' },
  timestamp: { sql: 'coalesce(m.updated_at, m.created_at)', type: 'timestamptz' },
  last_updated_timestamp: { sql: 'coalesce(m.updated_at, m.created_at)', type: 'timestamptz' },
};

/** What every search takes. */
export const searchInput = {
  filter: z.string().max(100_000).nullish(),
  orderBy: z.array(z.string()).max(100).default([]),
  pageToken: z.string().max(100_000).nullish(),
};

export const searchModels = defineQuery({
  name: 'mlflow.searchModels',
  describe: 'Models by filter and order, as MLflow searches them.',
  permission: 'model:read',
  input: z.object({ ...searchInput, maxResults: z.int().min(1).max(1000) }),
  handle: async ({ db, input }) => {
    const given = values();
    const { rows, nextPageToken } = await runSearch<ModelRow>(db, {
      columns: modelColumns,
      from: 'registered_model m',
      where: ['m.deleted_at is null', ...parseFilter(input.filter).map((one) => condition(one, given.put))],
      order: orderOf(parseOrder(input.orderBy), modelOrder, [
        { sql: 'm.name', type: 'text', descending: false },
      ]),
      values: given,
      limit: input.maxResults,
      pageToken: input.pageToken ?? null,
    });
    const latest = await latestOf(
      db,
      rows.map(({ id }) => id),
      null,
    );
    return { models: rows.map((row) => modelView(row, latest)), nextPageToken };
  },
});

const versionTag = (comparison: Comparison, put: Values['put']): string => {
  const { key, operator } = comparison;
  const equal = operator === '=' ? ` and t.value_start = left(${put(comparison.value)}::text, 100)` : '';
  const test = conditionOf({ sql: 't.value', type: 'text' }, `tag ${key}`, comparison, put);
  const from = `model_tag t where t.model_id = v.model_id and t.version_id = v.id and t.key = ${put(key)}::text`;
  const exists = `exists (select from ${from}${equal} and ${test})`;
  return key === promptTag && operator === '!=' ? `(${exists} or not exists (select from ${from}))` : exists;
};

const versionFields: Readonly<Record<string, { sql: string; type: 'text' | 'number' }>> = {
  name: { sql: 'm.name', type: 'text' },
  version_number: { sql: 'v.version', type: 'number' },
  version: { sql: 'v.version', type: 'number' },
  run_id: { sql: `coalesce(replace(v.run_id::text, '-', ''), '')`, type: 'text' },
  source_path: { sql: 'v.source', type: 'text' },
  source: { sql: 'v.source', type: 'text' },
};

/** A run's id is compared as the UUID that it is, so that the index finds it. */
const runCondition = ({ operator, value }: Comparison, put: Values['put']): string | null => {
  const list = operator === 'IN' && Array.isArray(value) ? value : operator === '=' ? [value] : null;
  if (!list) return null;
  const texts = list.filter((one): one is string => typeof one === 'string');
  const ids = texts.filter((one) => /^[0-9a-f]{32}$/.test(one));
  return texts.length === list.length ? `v.run_id = any(${put(ids)}::uuid[])` : null;
};

/** Found by the index over folded names; the name itself must be the same. */
const nameCondition = ({ operator, value }: Comparison, put: Values['put']): string | null =>
  operator === '=' && typeof value === 'string'
    ? `m.folded = ${put(foldName(value))}::text and m.name = ${put(value)}::text`
    : null;

/** Conditions that an index can answer, in another form than the others. */
const indexed: Readonly<Record<string, (comparison: Comparison, put: Values['put']) => string | null>> = {
  name: nameCondition,
  run_id: runCondition,
};

const versionCondition = (comparison: Comparison, put: Values['put']): string => {
  const { entity, key } = comparison;
  if (entity === 'tag' || entity === 'tags') return versionTag(comparison, put);
  const own = ['', 'attribute', 'attributes'].includes(entity);
  const field = own ? versionFields[key] : undefined;
  if (!field) throw unknownKey('filter', entity, key, [...Object.keys(versionFields), 'tags.<key>']);
  return indexed[key]?.(comparison, put) ?? conditionOf(field, key, comparison, put);
};

const versionOrder: Readonly<Record<string, Omit<SortKey, 'descending'>>> = {
  name: { sql: 'm.name', type: 'text' },
  version_number: { sql: 'v.version', type: 'bigint' },
  creation_timestamp: { sql: 'v.created_at', type: 'timestamptz' },
  timestamp: { sql: updatedAt, type: 'timestamptz' },
  last_updated_timestamp: { sql: updatedAt, type: 'timestamptz' },
};

export const searchVersions = defineQuery({
  name: 'mlflow.searchVersions',
  describe: 'Versions by filter and order, as MLflow searches them.',
  permission: 'modelVersion:read',
  input: z.object({ ...searchInput, maxResults: z.int().min(1).max(200_000) }),
  handle: async ({ db, input }) => {
    const given = values();
    const filter = parseFilter(input.filter).map((one) => versionCondition(one, given.put));
    const { rows, nextPageToken } = await runSearch<BareVersion>(db, {
      columns: versionColumns,
      from: versionsFrom,
      where: ['v.deleted_at is null', 'm.deleted_at is null', ...filter],
      order: orderOf(parseOrder(input.orderBy), versionOrder, [
        { sql: updatedAt, type: 'timestamptz', descending: true },
        { sql: 'm.name', type: 'text', descending: false },
        { sql: 'v.version', type: 'bigint', descending: true },
      ]),
      values: given,
      // No answer holds more, however much is asked for; the token leads on.
      limit: Math.min(input.maxResults, 10_000),
      pageToken: input.pageToken ?? null,
    });
    return { versions: (await withDetails(db, rows)).map(versionView), nextPageToken };
  },
});

/** There is no version of this number. */
export const versionNotFound = (name: string, version: string): AppError =>
  new AppError('NOT_FOUND', `Model Version (name=${name}, version=${version}) not found`);

/** The number behind a version's text. */
export const versionNumber = (text: string): number => {
  const number = /^\d{1,9}$/.test(text) ? Number(text) : NaN;
  if (Number.isInteger(number)) return number;
  throw invalidInput(`Parameter 'version' must be an integer, got '${text.slice(0, 50)}'.`, [
    { path: 'version', message: 'must be an integer' },
  ]);
};

export const versionOfNumber = defineQuery({
  name: 'mlflow.version',
  describe: 'A version by the name of its model and its number.',
  permission: 'modelVersion:read',
  input: z.object({ name: askedName, version: z.string() }),
  handle: async ({ db, input: { name, version } }): Promise<VersionRow> => {
    const number = versionNumber(version);
    const bare = await db.sql<BareVersion>(
      `select ${versionColumns} from ${versionsFrom}
        where m.folded = $1 and m.name = $2 and m.deleted_at is null and v.version = $3 and v.deleted_at is null`,
      [foldName(name), name, number],
      'mlflow.version',
    );
    const [row] = await withDetails(db, bare);
    if (!row) throw versionNotFound(name, version);
    return row;
  },
});

export const versionOfAlias = defineQuery({
  name: 'mlflow.versionOfAlias',
  describe: 'The version that an alias of a model names.',
  permission: 'alias:read',
  input: z.object({ name: askedName, alias: z.string().min(1).max(255) }),
  handle: async ({ db, input: { name, alias } }): Promise<VersionRow> => {
    const { id } = await named(db, name);
    // `latest` is no alias that anybody sets; it reads as the newest version.
    const latest = foldName(alias) === 'latest';
    const bare = await db.sql<BareVersion>(
      `select ${versionColumns} from ${versionsFrom}
        where v.model_id = $1 and v.deleted_at is null
          and ($3 or v.id = (select version_id from model_alias where model_id = $1 and name = $2))
        order by v.version desc limit 1`,
      [id, alias, latest],
      'mlflow.versionOfAlias',
    );
    const [row] = await withDetails(db, bare);
    if (!row)
      throw invalidInput(`Registered model alias ${alias} not found.`, [
        { path: 'alias', message: 'was not found' },
      ]);
    return row;
  },
});
