import type { Tx } from '../../../kernel/db.js';
import { conflict } from '../../../kernel/errors.js';
import { artifactPath, foldName, type GivenFile } from '../../registry/index.js';

/** What the files of a new version are copied from. */
export type Taken =
  | { readonly kind: 'loggedModel' | 'run' | 'version'; readonly id: string; readonly folder: string }
  | { readonly kind: 'nothing' };

const maxFiles = 1000;

const tables = {
  loggedModel: { table: 'tracked_file', column: 'model_id' },
  run: { table: 'tracked_file', column: 'run_id' },
  version: { table: 'artifact', column: 'version_id' },
} as const;

/** A file system that ignores case, and a reader's eye, must not find two files where the manifest names one. */
export const requireDistinct = (files: readonly GivenFile[]): void => {
  const seen = new Map<string, string>();
  for (const { path } of files) {
    if (!artifactPath.safeParse(path).success)
      throw conflict(`${path} cannot be a path of a version`, { rule: 'path' });
    const other = seen.get(foldName(path));
    if (other !== undefined) {
      throw conflict(`Two files have paths that read the same: ${other} and ${path}`, { rule: 'path-taken' });
    }
    seen.set(foldName(path), path);
  }
};

/** The files of what a version is made from: the same content, by the same people. */
export const filesOf = async (tx: Tx, taken: Taken): Promise<readonly GivenFile[]> => {
  if (taken.kind === 'nothing') return [];
  const { table, column } = tables[taken.kind];
  const prefix = taken.folder === '' ? '' : `${taken.folder}/`;
  const files = await tx.sql<GivenFile>(
    `select substr(path, length($2) + 1) as path, sha256, bytes::float8 as bytes, media_type as "mediaType",
            created_by as "createdBy"
       from ${table} where ${column} = $1 and starts_with(path, $2) order by path limit $3`,
    [taken.id, prefix, maxFiles + 1],
    `mlflow.filesOf.${taken.kind}`,
  );
  if (files.length > maxFiles) {
    throw conflict(`A version has at most ${String(maxFiles)} files`, { rule: 'artifact-count' });
  }
  if (files.length === 0)
    throw conflict('There are no files to make a version of', { rule: 'artifact-required' });
  requireDistinct(files);
  return files;
};
