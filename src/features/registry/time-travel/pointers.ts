import type { ReadDb } from '../../../kernel/db.js';

/** The model that had a name at a time, and its tombstone when it had been deleted by then. */
export interface ModelThen {
  readonly modelId: string;
  readonly name: string;
  readonly tombstone: { readonly at: Date; readonly by: string } | null;
}

interface ModelRow {
  readonly modelId: string;
  readonly name: string;
  readonly deletedAt: Date | null;
  readonly deletedBy: string | null;
}

/**
 * Who had the name: of all models that ever had it, the one whose last name by then it was; one that stood before one
 * that had been deleted, and the last deleted one when all had been.
 */
const namedThen = `
with named as (
  select distinct model_id from registry_history
   where workspace_id = app_workspace() and kind = 'NAME' and folded = $1 and at <= $2
)
select named.model_id as "modelId", last.name, gone.at as "deletedAt", gone.by as "deletedBy"
  from named
  cross join lateral (
    select h.name, h.folded from registry_history h
     where h.workspace_id = app_workspace() and h.model_id = named.model_id and h.kind = 'NAME' and h.at <= $2
     order by h.seq desc limit 1) last
  left join lateral (
    select h.at, h.by, h.seq from registry_history h
     where h.workspace_id = app_workspace() and h.model_id = named.model_id and h.kind = 'MODEL_DELETED' and h.at <= $2
     order by h.seq desc limit 1) gone on true
 where last.folded = $1
 order by gone.seq desc nulls first limit 1`;

/** The model of this name at this time; null when nothing had it. */
export const modelThen = async (db: ReadDb, folded: string, time: Date): Promise<ModelThen | null> => {
  const [row] = await db.sql<ModelRow>(namedThen, [folded, time]);
  if (!row) return null;
  const { modelId, name, deletedAt, deletedBy } = row;
  return { modelId, name, tombstone: deletedAt ? { at: deletedAt, by: deletedBy ?? '' } : null };
};

/** What a name pointed to at a time. */
export interface AliasThen {
  readonly name: string;
  readonly versionId: string;
  readonly version: number;
  readonly useCaseId: string | null;
  readonly changeRequestId: string | null;
  readonly movedAt: Date;
  readonly movedBy: string;
}

/** The aliases of a model at a time: the last word on each name, as far as it still named something. */
export const aliasesThen = (db: ReadDb, modelId: string, time: Date): Promise<AliasThen[]> =>
  db.sql<AliasThen>(
    `select last.name, last.version_id as "versionId", v.version, last.use_case_id as "useCaseId",
            last.change_request_id as "changeRequestId", last.at as "movedAt", last.by as "movedBy"
       from (select distinct on (h.folded) h.* from registry_history h
              where h.workspace_id = app_workspace() and h.model_id = $1 and h.kind = 'ALIAS' and h.at <= $2
              order by h.folded, h.seq desc) last
       join model_version v on v.id = last.version_id
      order by last.folded`,
    [modelId, time],
  );

/** Where a version stood in its life at a time. */
export interface StageThen {
  readonly versionId: string;
  readonly version: number;
  readonly stage: string;
  readonly since: Date;
  readonly by: string;
}

/** The stages of a model's versions at a time; versions that had been deleted stand nowhere. */
export const stagesThen = (db: ReadDb, modelId: string, time: Date): Promise<StageThen[]> =>
  db.sql<StageThen>(
    `select last.version_id as "versionId", v.version, last.name as stage, last.at as since, last.by
       from (select distinct on (h.version_id) h.* from registry_history h
              where h.workspace_id = app_workspace() and h.model_id = $1 and h.kind = 'STAGE' and h.at <= $2
              order by h.version_id, h.seq desc) last
       join model_version v on v.id = last.version_id
      where last.name <> 'None' and not exists (
        select from registry_history gone
         where gone.workspace_id = app_workspace() and gone.model_id = $1 and gone.at <= $2
           and gone.kind in ('VERSION_DELETED', 'MODEL_DELETED')
           and (gone.version_id is null or gone.version_id = last.version_id))
      order by v.version`,
    [modelId, time],
  );

/** The policy that ruled at a time. */
export interface PolicyThen {
  /** 0: the workspace had set none yet, and what the installation starts with ruled. */
  readonly revision: number;
  readonly sha256: string | null;
  readonly source: string | null;
  readonly document: object | null;
  readonly since: Date | null;
}

const startingPolicy: PolicyThen = { revision: 0, sha256: null, source: null, document: null, since: null };

/** The policy of a time: rows of policies are added and never changed. */
export const policyThen = async (db: ReadDb, time: Date): Promise<PolicyThen> => {
  const [row] = await db.sql<PolicyThen>(
    `select revision, sha256, source, document, created_at as since from approval_policy
      where created_at <= $1 order by revision desc limit 1`,
    [time],
  );
  return row ?? startingPolicy;
};
