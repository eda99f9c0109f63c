import type { Tx } from '../../../kernel/db.js';
import { conflict } from '../../../kernel/errors.js';
import { newId } from '../../../kernel/id.js';
import { artifactPath, foldName } from '../../registry/index.js';

/** What the files of a new version are copied from. */
export type Taken =
  | { readonly kind: 'loggedModel' | 'run' | 'version'; readonly id: string; readonly folder: string }
  | { readonly kind: 'nothing' };

interface File {
  readonly path: string;
  readonly sha256: string;
  readonly bytes: string;
  readonly mediaType: string;
  readonly createdBy: string;
}

const maxFiles = 1000;

const tables = {
  loggedModel: { table: 'tracked_file', column: 'model_id' },
  run: { table: 'tracked_file', column: 'run_id' },
  version: { table: 'artifact', column: 'version_id' },
} as const;

const requireClosed = async (tx: Tx, id: string): Promise<void> => {
  const [model] = await tx.sql<{ state: string }>(
    'select state from logged_model where id = $1 and deleted_at is null',
    [id],
  );
  if (model?.state === 'READY') return;
  throw conflict('The logged model is not READY: its files may still change', { rule: 'version-ready' });
};

/** A file system that ignores case, and a reader's eye, must not find two files where the manifest names one. */
const requireDistinct = (files: readonly File[]): void => {
  const seen = new Map<string, string>();
  for (const { path } of files) {
    if (!artifactPath.safeParse(path).success) throw conflict(`${path} cannot be a path of a version`, { rule: 'path' });
    const other = seen.get(foldName(path));
    if (other !== undefined) {
      throw conflict(`Two files have paths that read the same: ${other} and ${path}`, { rule: 'path-taken' });
    }
    seen.set(foldName(path), path);
  }
};

/** Gives a version the files of what it is made from: the same content, by the same people. */
export const copyFiles = async (
  tx: Tx,
  taken: Taken,
  version: { readonly id: string; readonly workspaceId: string },
  now: Date,
): Promise<void> => {
  if (taken.kind === 'nothing') return;
  if (taken.kind === 'loggedModel') await requireClosed(tx, taken.id);
  const { table, column } = tables[taken.kind];
  const prefix = taken.folder === '' ? '' : `${taken.folder}/`;
  const files = await tx.sql<File>(
    `select substr(path, length($2) + 1) as path, sha256, bytes, media_type as "mediaType", created_by as "createdBy"
       from ${table} where ${column} = $1 and starts_with(path, $2) order by path limit $3`,
    [taken.id, prefix, maxFiles + 1],
  );
  if (files.length > maxFiles) {
    throw conflict(`A version has at most ${String(maxFiles)} files`, { rule: 'artifact-count' });
  }
  if (files.length === 0) throw conflict('There are no files to make a version of', { rule: 'artifact-required' });
  requireDistinct(files);
  await tx.sql(
    `insert into artifact (id, workspace_id, version_id, path, sha256, bytes, media_type, created_by, created_at)
     select id, $1, $2, path, sha256, bytes, media_type, created_by, $3
       from unnest($4::uuid[], $5::text[], $6::text[], $7::bigint[], $8::text[], $9::text[])
            as file (id, path, sha256, bytes, media_type, created_by)`,
    [
      version.workspaceId,
      version.id,
      now,
      files.map(() => newId()),
      files.map(({ path }) => path),
      files.map(({ sha256 }) => sha256),
      files.map(({ bytes }) => bytes),
      files.map(({ mediaType }) => mediaType),
      files.map(({ createdBy }) => createdBy),
    ],
  );
};
