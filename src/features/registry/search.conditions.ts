import type { VersionFilter, ModelFilter } from './search.filter.js';
import { foldName } from './names.js';

/*
 * Every condition is a comparison of plain columns, or membership in rows that such a comparison finds: row-level
 * security lets an index serve nothing else. A condition that was not asked for is not in the statement.
 */

/** One condition; each `?` stands for the next of its values. */
export interface Condition {
  readonly sql: string;
  readonly values: readonly unknown[];
}

const when = (value: unknown, sql: string, ...values: readonly unknown[]): Condition[] =>
  value === null || value === undefined ? [] : [{ sql, values: values.length === 0 ? [value] : values }];

/** A statement's `where`, with the values of all conditions numbered in their order. */
export const whereOf = (conditions: readonly Condition[]): { where: string; values: unknown[] } => {
  const values = conditions.flatMap((one) => one.values);
  let number = 0;
  const where = conditions
    .map(({ sql }) => `(${sql.replace(/\?/g, () => `$${String((number += 1))}`)})`)
    .join('\n     and ');
  return { where, values };
};

const here = 'workspace_id = app_workspace()';

const mostWords = 10;
/** The highest letter of Unicode: whatever begins with a text stands before the text with this one behind. */
const highest = '\u{10FFFF}';

/** The words of a search, as the registry keeps words. */
const wordsOf = (text: string): string[] =>
  foldName(text)
    .split(/[\s!-/:-@[-`{-~]+/u)
    .filter((word) => word !== '')
    .slice(0, mostWords)
    .map((word) => word.slice(0, 64));

const range = `w.${here} and w.word >= ? and w.word < ?`;
const inVersions = `v.id in (
  select w.subject_id from registry_word w where ${range} and w.version_id is not null
  union all
  select named.id from registry_word w join model_version named on named.workspace_id = w.workspace_id and named.model_id = w.model_id
   where ${range} and w.version_id is null)`;
const inModels = `m.id in (select w.subject_id from registry_word w where ${range} and w.version_id is null)`;

const textConditions = (text: string | null | undefined, sql: string, ranges: number): Condition[] => {
  if (text === null || text === undefined) return [];
  const words = wordsOf(text);
  if (words.length === 0) return [{ sql: 'false', values: [] }];
  return words.map((word) => ({
    sql,
    values: Array.from({ length: ranges }, () => [word, word + highest]).flat(),
  }));
};

const tagConditions = (tags: VersionFilter['tags'], tagged: (condition: string) => string): Condition[] =>
  tags.map(({ key, value }) =>
    value === null || value === undefined
      ? { sql: tagged('t.key = ?'), values: [key] }
      : // The start stands in the index, the whole decides.
        {
          sql: tagged('t.key = ? and t.value_head = ? and t.value = ?'),
          values: [key, value.slice(0, 200), value],
        },
  );

const deletedCondition = { WITHOUT: ['is null'], ONLY: ['is not null'], WITH: [] } as const;

const common = (filter: VersionFilter | ModelFilter, row: 'v' | 'm'): Condition[] => [
  // Said although row-level security says it too: every index begins with it.
  { sql: `${row}.${here}`, values: [] },
  ...deletedCondition[filter.deleted].map((state) => ({ sql: `${row}.deleted_at ${state}`, values: [] })),
  ...when(filter.createdBy, `${row}.created_by = ?`),
  ...when(filter.createdFrom, `${row}.created_at >= ?`),
  ...when(filter.createdBefore, `${row}.created_at < ?`),
];

const comparisons = { LESS: '<', AT_MOST: '<=', EQUAL: '=', AT_LEAST: '>=', GREATER: '>' } as const;

const metricConditions = (metrics: VersionFilter['metrics']): Condition[] =>
  metrics.map(({ name, is, value }) => ({
    sql: `v.id in (select x.version_id from version_metric x where x.${here} and x.name = ? and x.value ${comparisons[is]} ?)`,
    values: [name, value],
  }));

/** A version belongs to a use case by an alias, its card, its evidence or a request. */
const ofUse = `v.id in (
  select version_id from model_alias where ${here} and use_case_id = ?
  union select version_id from model_card where ${here} and use_case_id = ?
  union select version_id from evidence where ${here} and use_case_id = ?
  union select version_id from change_request where ${here} and use_case_id = ? and version_id is not null)`;

const modelOfUse = `m.id in (
  select model_id from model_alias where ${here} and use_case_id = ?
  union select model_id from change_request where ${here} and use_case_id = ? and model_id is not null
  union select v.model_id from model_version v join model_card c on c.version_id = v.id where c.${here} and c.use_case_id = ?)`;

/** As clients of MLflow write stages. */
const stageName = (stage: string): string => stage.charAt(0).toUpperCase() + stage.slice(1).toLowerCase();

const folded = (name: string | null | undefined): string | null => (name ? foldName(name) : null);
const four = (value: string | null | undefined): (string | null | undefined)[] => [
  value,
  value,
  value,
  value,
];

/** What versions must fulfil. */
export const versionConditions = (filter: VersionFilter): Condition[] => [
  ...common(filter, 'v'),
  ...when(filter.modelId, 'v.model_id = ?'),
  ...when(
    folded(filter.name),
    `v.model_id in (select named.id from registered_model named where named.${here} and named.folded = ?)`,
  ),
  ...textConditions(filter.text, inVersions, 2),
  ...tagConditions(
    filter.tags,
    (is) =>
      `v.id in (select t.version_id from model_tag t where t.${here} and ${is} and t.version_id is not null)`,
  ),
  ...when(
    folded(filter.alias),
    `v.id in (select a.version_id from model_alias a where a.${here} and a.folded = ?)`,
  ),
  ...when(filter.useCaseId, ofUse, ...four(filter.useCaseId)),
  ...metricConditions(filter.metrics),
  ...when(filter.state, 'v.state = ?'),
  ...when(filter.stage ? stageName(filter.stage) : null, 'v.stage = ?'),
  ...when(
    filter.datasetSha256,
    `v.id in (select d.version_id from version_dataset d where d.${here} and d.sha256 = ?)`,
  ),
];

/** What models must fulfil. */
export const modelConditions = (filter: ModelFilter): Condition[] => [
  ...common(filter, 'm'),
  ...when(folded(filter.name), 'm.folded = ?'),
  ...textConditions(filter.text, inModels, 1),
  ...tagConditions(
    filter.tags,
    (is) => `m.id in (select t.model_id from model_tag t where t.${here} and ${is} and t.version_id is null)`,
  ),
  ...when(
    folded(filter.alias),
    `m.id in (select a.model_id from model_alias a where a.${here} and a.folded = ?)`,
  ),
  ...when(filter.useCaseId, modelOfUse, ...four(filter.useCaseId).slice(1)),
  ...when(filter.kind, 'm.kind = ?'),
];
