import { z } from 'zod';
import { notFound } from '../../../kernel/errors.js';
import { pageInput, pageOf, readCursor, type Page } from '../../../kernel/page.js';
import { defineQuery } from '../../../kernel/query.js';

/** An import from another MLflow server. */
export interface ImportView {
  readonly id: string;
  readonly address: string;
  readonly artifacts: 'COPY' | 'REFERENCE';
  readonly state: 'RUNNING' | 'DONE' | 'FAILED';
  readonly message: string;
  readonly counts: Readonly<Record<string, number>>;
  readonly startedBy: string;
  readonly startedAt: Date;
  readonly finishedAt: Date | null;
}

const columns = `id, address, artifacts, state, message, counts, started_by as "startedBy", started_at as "startedAt",
  finished_at as "finishedAt"`;

export const importById = defineQuery({
  name: 'mlflowImport.read',
  describe: 'An import from another MLflow server: how far it is, and how it ended.',
  permission: 'upstream:read',
  input: z.object({ id: z.uuid() }),
  handle: async ({ db, input }): Promise<ImportView> => {
    const [row] = await db.sql<ImportView>(`select ${columns} from mlflow_import where id = $1`, [input.id]);
    if (!row) throw notFound('The import');
    return row;
  },
});

export const listMlflowImports = defineQuery({
  name: 'mlflowImport.list',
  describe: 'Imports from other MLflow servers, the latest first.',
  permission: 'upstream:read',
  input: z.object(pageInput),
  handle: async ({ db, input }): Promise<Page<ImportView>> => {
    const after = readCursor(input.after);
    const rows = await db.sql<ImportView>(
      `select ${columns} from mlflow_import where ($1::uuid is null or id < $1::uuid) order by id desc limit $2`,
      [after?.[0] ?? null, input.first + 1],
    );
    return pageOf(
      rows,
      input,
      (row) => [row.id],
      (row) => row,
    );
  },
});

/** What an import did or left, and why. */
export interface ImportItemView {
  readonly id: string;
  readonly kind: string;
  readonly name: string;
  readonly outcome: string;
  readonly reason: string;
  readonly notedAt: Date;
}

export const listMlflowImportItems = defineQuery({
  name: 'mlflowImport.listItems',
  describe:
    'The report of an import: what was imported, what was left, and why; what was the same is only counted.',
  permission: 'upstream:read',
  input: z.object({ importId: z.uuid(), ...pageInput }),
  handle: async ({ db, input }): Promise<Page<ImportItemView>> => {
    const after = readCursor(input.after);
    const rows = await db.sql<ImportItemView>(
      `select id, kind, name, outcome, reason, noted_at as "notedAt" from mlflow_import_item
        where import_id = $1 and ($2::uuid is null or id > $2::uuid) order by id limit $3`,
      [input.importId, after?.[0] ?? null, input.first + 1],
    );
    return pageOf(
      rows,
      input,
      (row) => [row.id],
      (row) => row,
    );
  },
});

/** Aliases that another server told of and nobody set here, because their version was not READY. */
export const aliasesWaiting = defineQuery({
  name: 'upstream.aliasesWaiting',
  describe: 'Aliases of another MLflow server that wait for their version to be READY.',
  permission: 'upstream:read',
  input: z.object({ versionId: z.uuid() }),
  handle: async ({ db, input }): Promise<{ modelId: string; names: readonly string[] }> => {
    const [row] = await db.sql<{ modelId: string; names: string[] }>(
      `select c.model_id as "modelId",
              array(select name from jsonb_array_elements_text(c.facts -> 'aliases') as told (name)
                     where not exists (select from model_alias a where a.model_id = c.model_id and a.name = told.name)) as names
         from upstream_copy c join model_version v on v.id = c.version_id
        where c.version_id = $1 and v.state = 'READY' and v.deleted_at is null`,
      [input.versionId],
    );
    return row ?? { modelId: '', names: [] };
  },
});
