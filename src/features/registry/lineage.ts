import type { ReadDb } from '../../kernel/db.js';

/**
 * Whose deeds count: everything done to the version, to any other one of the same bytes, to its artifacts, to the versions it was made from and to their
 * artifacts, to the runs and logged models they came from, to its evaluations and its cards, and the creation of its model.
 */
const subjects = `
with recursive ancestry(id, model_id, lineage, created_by, run_id, logged_model_id) as (
  select id, model_id, lineage, created_by, run_id, logged_model_id from model_version
   -- Whoever registered the same bytes made the same thing, under whatever name.
   where id = $1 or digest = (select digest from model_version v where v.id = $1
                                 and exists (select from artifact f where f.version_id = v.id))
  union
  select parent.id, parent.model_id, parent.lineage, parent.created_by, parent.run_id, parent.logged_model_id
    from model_version parent join ancestry child on parent.id = (child.lineage ->> 'parentVersionId')::uuid
), files as (
  select id, created_by from artifact where version_id in (select id from ancestry)
), logged as (
  select id, created_by, source_run_id from logged_model where id in (select logged_model_id from ancestry)
), runs as (
  select id, created_by from training_run
   where id in (select run_id from ancestry) or id in (select source_run_id from logged)
), models as (
  select id, created_by from registered_model where id = (select model_id from model_version where id = $1)
), subject(kind, id) as (
  select 'modelVersion', id::text from ancestry
  union select 'artifact', id::text from files
  union select 'loggedModel', id::text from logged
  union select 'run', id::text from runs
  union select 'trackedFile', id::text from tracked_file where model_id in (select id from logged)
  union select 'evaluation', id::text from evaluation where version_id = $1
  union select 'card', id::text from model_card where version_id = $1
), deed as (
  select actor_id, convert_from(canonical, 'UTF8')::jsonb -> 'actor' ->> 'token' as token_id
    from audit_event e
   where e.workspace_id = app_workspace() and outcome = 'done' and actor_kind <> 'system'
     and ((subject_kind, subject_id) in (select kind, id from subject)
          or (subject_kind = 'model' and subject_id in (select id::text from models) and command = 'model.create'))
)
select actor_id as id from deed
union select t.created_by from deed join api_token t on t.id::text = deed.token_id
union select created_by from ancestry
union select created_by from files
union select created_by from models
union select created_by from logged
union select created_by from runs
union select requested_by from evaluation where version_id = $1`;

/**
 * Everybody who had a hand in a version, and therefore cannot approve it: ids of persons and of service accounts,
 * and of the persons who made the tokens that were used, since they hold the secret.
 */
export const lineageActors = async (db: ReadDb, versionId: string): Promise<ReadonlySet<string>> => {
  const rows = await db.sql<{ id: string }>(subjects, [versionId]);
  return new Set(rows.map(({ id }) => id).filter((id) => !/^(job|door):|^setup$/.test(id)));
};
