import { pageOf, readCursor, type Page } from '../../kernel/page.js';
import { defineQuery } from '../../kernel/query.js';
import { modelSelect, versionSelect, type ModelView, type VersionView } from './registry.queries.js';
import { modelConditions, versionConditions, whereOf, type Condition } from './search.conditions.js';
import { modelSearch, requireMaySeeDeleted, versionSearch } from './search.filter.js';

/** The statement of a search: newest first, from behind the cursor on, one row more than is shown. */
export const searchStatement = (
  select: string,
  row: 'v' | 'm',
  conditions: readonly Condition[],
  { after, first }: { readonly after?: string | null | undefined; readonly first: number },
): { text: string; values: unknown[] } => {
  const cursor = readCursor(after);
  const behind = cursor ? [{ sql: `${row}.id < ?`, values: [cursor[0]] }] : [];
  const { where, values } = whereOf([...conditions, ...behind]);
  return {
    text: `${select} ${row}
   where ${where}
   order by ${row}.workspace_id desc, ${row}.id desc limit ${String(first + 1)}`,
    values,
  };
};

export const searchVersions = defineQuery({
  name: 'modelVersion.search',
  describe: 'Versions of any model that fulfil everything that is given, newest first.',
  permission: 'modelVersion:read',
  input: versionSearch,
  handle: async ({ db, input, may }): Promise<Page<VersionView>> => {
    requireMaySeeDeleted(input.filter, may);
    const { text, values } = searchStatement(versionSelect, 'v', versionConditions(input.filter), input);
    const rows = await db.sql<VersionView>(text, values);
    return pageOf(
      rows,
      input,
      ({ id }) => [id],
      (row) => row,
    );
  },
});

export const searchModels = defineQuery({
  name: 'model.search',
  describe: 'Models that fulfil everything that is given, newest first.',
  permission: 'model:read',
  input: modelSearch,
  handle: async ({ db, input, may }): Promise<Page<ModelView>> => {
    requireMaySeeDeleted(input.filter, may);
    const { text, values } = searchStatement(modelSelect, 'm', modelConditions(input.filter), input);
    const rows = await db.sql<ModelView>(text, values);
    return pageOf(
      rows,
      input,
      ({ id }) => [id],
      (row) => row,
    );
  },
});
