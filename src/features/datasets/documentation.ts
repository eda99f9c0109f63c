import type { ReadDb } from '../../kernel/db.js';

/** Data that a model version was made from, and what is known of it here. */
export interface VersionData {
  readonly versionId: string;
  readonly name: string;
  readonly sha256: string;
  readonly role: string;
  /** The registered version of a data set with this content; null when nobody registered it. */
  readonly datasetVersionId: string | null;
  /** What is not said of it: `registration`, `licence`, `provenance`, `profile`. Nothing is missing when it is empty. */
  readonly missing: readonly string[];
}

/**
 * The data that versions of models were made from, held against the data sets of the workspace: by the version that
 * the lineage names, else by digest (the newest one that stands).
 */
export const dataOfVersions = (db: ReadDb, versionIds: readonly string[]): Promise<VersionData[]> =>
  db.sql<VersionData>(
    `select l.version_id as "versionId", l.name, l.sha256, l.role, d.id as "datasetVersionId",
            case when d.id is null then array['registration'] else array_remove(array[
              case when d.licence is null then 'licence' end,
              case when d.provenance is null then 'provenance' end,
              case when d.profile_state <> 'DONE' and d.columns is null then 'profile' end], null) end as missing
       from version_dataset l
       left join lateral (
         select * from dataset_version d
          where d.workspace_id = l.workspace_id and d.sha256 = l.sha256
          order by (d.id is not distinct from l.dataset_version_id) desc, d.deleted_at is null desc, d.id desc limit 1) d on true
      where l.version_id = any($1) order by l.role, l.name`,
    [versionIds],
  );

/** A registered version by what a lineage needs of it. */
export interface KnownData {
  readonly id: string;
  readonly name: string;
  readonly sha256: string;
}

/** Registered versions by id, as far as they are there and have their content. */
export const knownData = (db: ReadDb, ids: readonly string[]): Promise<KnownData[]> =>
  db.sql<KnownData>(
    `select v.id, d.name, v.sha256 from dataset_version v join dataset d on d.id = v.dataset_id
      where v.id = any($1) and v.deleted_at is null and v.sha256 is not null`,
    [ids],
  );
