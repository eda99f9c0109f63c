import { z } from 'zod';
import { invalidInput, notFound } from '../../kernel/errors.js';
import { foldName } from '../../kernel/names.js';
import { pageInput, pageOf, readCursor, type Page } from '../../kernel/page.js';
import { defineQuery } from '../../kernel/query.js';
import type { DatasetColumn, DatasetSource, DatasetVersion, ProfileState } from './dataset-version.entity.js';
import { datasetVersionOr404, requireOpen } from './datasets.commands/find.js';
import { dataOfVersions, type VersionData } from './documentation.js';

/** A data set as shown. */
export interface DatasetView {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly createdBy: string;
  readonly createdAt: Date;
  readonly deletedAt: Date | null;
}

/** A version of a data set as shown. */
export interface DatasetVersionView {
  readonly id: string;
  readonly datasetId: string;
  readonly version: number;
  readonly source: DatasetSource;
  readonly sha256: string | null;
  readonly bytes: number | null;
  readonly uri: string | null;
  readonly description: string;
  readonly licence: string | null;
  readonly provenance: string | null;
  readonly protectedAttributes: readonly string[];
  readonly columns: readonly DatasetColumn[] | null;
  readonly rowCount: number | null;
  readonly profile: object | null;
  readonly profileState: ProfileState;
  readonly profileMessage: string;
  readonly profileJobId: string | null;
  readonly createdBy: string;
  readonly createdAt: Date;
  readonly registeredAt: Date | null;
  readonly deletedAt: Date | null;
}

const datasetSelect = `
  select id, name, description, created_by as "createdBy", created_at as "createdAt", deleted_at as "deletedAt"
    from dataset`;

const versionSelect = `
  select id, dataset_id as "datasetId", version, source, sha256, bytes::float8 as bytes, uri, description, licence,
         provenance, protected_attributes as "protectedAttributes", columns, row_count::float8 as "rowCount", profile,
         profile_state as "profileState", profile_message as "profileMessage", profile_job_id as "profileJobId",
         created_by as "createdBy", created_at as "createdAt", registered_at as "registeredAt", deleted_at as "deletedAt"
    from dataset_version`;

export const listDatasets = defineQuery({
  name: 'dataset.list',
  describe: 'The data sets of the workspace, oldest first; `search` looks for a part of the name.',
  permission: 'dataset:read',
  input: z.object({ search: z.string().trim().max(200).nullish(), ...pageInput }),
  handle: async ({ db, input }): Promise<Page<DatasetView>> => {
    const after = readCursor(input.after);
    const rows = await db.sql<DatasetView>(
      `${datasetSelect}
        where deleted_at is null and ($1::uuid is null or id > $1::uuid)
          and ($2::text is null or position($2::text in folded) > 0)
        order by id limit $3`,
      [after?.[0] ?? null, input.search ? foldName(input.search) : null, input.first + 1],
    );
    return pageOf(
      rows,
      input,
      (row) => [row.id],
      (row) => row,
    );
  },
});

export const readDataset = defineQuery({
  name: 'dataset.read',
  describe: 'One data set, by id or by name.',
  permission: 'dataset:read',
  input: z.object({ id: z.uuid().nullish(), name: z.string().max(1000).nullish() }),
  handle: async ({ db, input }): Promise<DatasetView> => {
    const { id = null, name = null } = input;
    if ((id === null) === (name === null)) {
      throw invalidInput('Give either the id or the name of the data set', [
        { path: 'id', message: 'or name is required' },
      ]);
    }
    const [row] = await db.sql<DatasetView>(
      `${datasetSelect} where deleted_at is null and ($1::uuid is null or id = $1) and ($2::text is null or folded = $2)`,
      [id, name === null ? null : foldName(name)],
    );
    if (!row) throw notFound('The data set');
    return row;
  },
});

export const listDatasetVersions = defineQuery({
  name: 'datasetVersion.list',
  describe: 'The versions of a data set, newest first.',
  permission: 'dataset:read',
  input: z.object({ datasetId: z.uuid(), ...pageInput }),
  handle: async ({ db, input }): Promise<Page<DatasetVersionView>> => {
    const after = readCursor(input.after, 'number');
    const rows = await db.sql<DatasetVersionView>(
      `${versionSelect}
        where dataset_id = $1 and deleted_at is null and ($2::int is null or version < $2::int)
        order by version desc limit $3`,
      [input.datasetId, after?.[0] ?? null, input.first + 1],
    );
    return pageOf(
      rows,
      input,
      (row) => [row.version, row.id],
      (row) => row,
    );
  },
});

export const readDatasetVersion = defineQuery({
  name: 'datasetVersion.read',
  describe: 'One version of a data set, with its profile.',
  permission: 'dataset:read',
  input: z.object({ id: z.uuid() }),
  handle: async ({ db, input }): Promise<DatasetVersionView> => {
    const [row] = await db.sql<DatasetVersionView>(`${versionSelect} where id = $1 and deleted_at is null`, [
      input.id,
    ]);
    if (!row) throw notFound('The version of the data set');
    return row;
  },
});

const ids = z.object({ ids: z.array(z.uuid()).max(200) });

/** Deleted ones too: a lineage does not end where something was deleted. */
export const datasetVersionsByIds = defineQuery({
  name: 'datasetVersion.byIds',
  describe: 'Versions of data sets by id.',
  permission: 'dataset:read',
  input: ids,
  handle: ({ db, input }): Promise<DatasetVersionView[]> =>
    db.sql(`${versionSelect} where id = any($1)`, [input.ids]),
});

/** Deleted ones too. */
export const datasetsByIds = defineQuery({
  name: 'dataset.byIds',
  describe: 'Data sets by id.',
  permission: 'dataset:read',
  input: ids,
  handle: ({ db, input }): Promise<DatasetView[]> =>
    db.sql(`${datasetSelect} where id = any($1)`, [input.ids]),
});

export const dataOfModelVersions = defineQuery({
  name: 'datasetVersion.ofModelVersions',
  describe: 'The data that versions of models were made from, and what is not known of it.',
  permission: 'dataset:read',
  input: ids,
  handle: ({ db, input }): Promise<VersionData[]> => dataOfVersions(db, input.ids),
});

/** Asked before the first byte of an upload is read: may this actor, and is the version still open? */
export const contentAdmission = defineQuery({
  name: 'datasetVersion.admission',
  describe: 'Whether a version of a data set takes its content.',
  permission: 'dataset:create',
  input: z.object({ datasetVersionId: z.uuid() }),
  handle: async ({ db, input }) => {
    const version = await datasetVersionOr404(db, input.datasetVersionId);
    requireOpen(version);
    return { id: version.id };
  },
});

export const profileTarget = defineQuery({
  name: 'datasetVersion.profileTarget',
  describe: 'A version of a data set, for its profile.',
  permission: 'dataset:read',
  input: z.object({ datasetVersionId: z.uuid() }),
  handle: ({ db, input }): Promise<DatasetVersion> => datasetVersionOr404(db, input.datasetVersionId),
});

/** The version that waits for a job, and why the job ended; null when none waits. */
export const profileOfJob = defineQuery({
  name: 'datasetVersion.profileOfJob',
  describe: 'The version of a data set that waits for a job.',
  permission: 'dataset:read',
  input: z.object({ jobId: z.uuid() }),
  handle: async ({ db, input }) => {
    const [row] = await db.sql<{ datasetVersionId: string; sha256: string; reason: string }>(
      `select v.id as "datasetVersionId", v.sha256, coalesce(j.message, '') as reason
         from dataset_version v left join job j on j.id = v.profile_job_id
        where v.profile_job_id = $1 and v.profile_state = 'QUEUED' and v.deleted_at is null`,
      [input.jobId],
    );
    return row ?? null;
  },
});
