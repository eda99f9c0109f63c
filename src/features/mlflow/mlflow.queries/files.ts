import { z } from 'zod';
import { notFound } from '../../../kernel/errors.js';
import { defineQuery } from '../../../kernel/query.js';

/** Whose files: a run's, a logged model's, or those of a version, which never change. */
const place = z.object({ kind: z.enum(['run', 'loggedModel', 'version']), id: z.uuid() });

/** One of them. */
export type FilesOf = z.output<typeof place>;

/** Rows of whatever was deleted are found no more. */
const tables: Readonly<Record<FilesOf['kind'], { table: string; column: string }>> = {
  run: { table: 'tracked_file', column: 'run_id' },
  loggedModel: {
    table:
      '(tracked_file f join (select id from logged_model where deleted_at is null) l on l.id = f.model_id)',
    column: 'model_id',
  },
  version: {
    table:
      '(artifact f join (select id from model_version where deleted_at is null) v on v.id = f.version_id)',
    column: 'version_id',
  },
};

/** What stands directly in a folder. */
export interface Listed {
  readonly path: string;
  readonly is_dir: boolean;
  readonly file_size?: number;
}

export const filesIn = defineQuery({
  name: 'mlflow.filesIn',
  describe: 'The files and folders directly in a folder.',
  permission: 'artifact:read',
  input: z.object({ of: place, folder: z.string().max(400) }),
  handle: async ({ db, input: { of, folder } }): Promise<Listed[]> => {
    const { table, column } = tables[of.kind];
    const prefix = folder === '' ? '' : `${folder}/`;
    const rows = await db.sql<{ path: string; isDir: boolean; bytes: number }>(
      `select split_part(substr(path, length($2) + 1), '/', 1) as path,
              bool_or(strpos(substr(path, length($2) + 1), '/') > 0) as "isDir", max(bytes)::float8 as bytes
         from ${table} where ${column} = $1 and starts_with(path, $2) group by 1 order by 1`,
      [of.id, prefix],
    );
    return rows.map(({ path, isDir, bytes }) =>
      isDir ? { path, is_dir: true } : { path, is_dir: false, file_size: bytes },
    );
  },
});

/** A file as it is stored. */
export interface StoredFile {
  readonly sha256: string;
  readonly bytes: number;
}

export const fileAt = defineQuery({
  name: 'mlflow.fileAt',
  describe: 'The file at a path. Reading one of a version leaves a trace.',
  permission: 'artifact:read',
  input: z.object({ of: place, path: z.string().min(1).max(400) }),
  recordAccess: ({ of, path }, { sha256 }: StoredFile) =>
    of.kind === 'version' ? { subject: { kind: 'modelVersion', id: of.id }, facts: { path, sha256 } } : null,
  handle: async ({ db, input: { of, path } }): Promise<StoredFile> => {
    const { table, column } = tables[of.kind];
    const [row] = await db.sql<StoredFile>(
      `select sha256, bytes::float8 as bytes from ${table} where ${column} = $1 and path = $2`,
      [of.id, path],
    );
    if (!row) throw notFound(`The artifact ${path}`);
    return row;
  },
});

export const uploadPlace = defineQuery({
  name: 'mlflow.uploadPlace',
  describe: 'Whether a run or a logged model takes files, before any are sent.',
  permission: 'artifact:upload',
  input: z.object({ of: place }),
  handle: async ({ db, input: { of } }): Promise<{ readonly open: boolean; readonly number: number }> => {
    if (of.kind === 'version') return { open: false, number: 0 };
    const text =
      of.kind === 'run'
        ? `select r.deleted_at is null as open, e.number from training_run r join experiment e on e.id = r.experiment_id where r.id = $1`
        : `select l.state = 'PENDING' as open, e.number from logged_model l join experiment e on e.id = l.experiment_id
            where l.id = $1 and l.deleted_at is null`;
    const [row] = await db.sql<{ open: boolean; number: number }>(text, [of.id]);
    if (!row) throw notFound(of.kind === 'run' ? 'The run' : 'The logged model');
    return row;
  },
});
