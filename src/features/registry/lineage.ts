import type { ReadDb } from '../../kernel/db.js';

/**
 * Whose deeds count: everything done to the version, to any other one of the same bytes, to its artifacts, to the versions it was made from and to their
 * artifacts, to the runs and logged models they came from, to the data they were made from, to its evaluations and its
 * cards, and the creation of its model.
 */
const subjects = `
with recursive ancestry(id, model_id, lineage, created_by, run_id, logged_model_id) as (
  (select id, model_id, lineage, created_by, run_id, logged_model_id from model_version where id = $1
    union
    -- Whoever registered the same bytes made the same thing, under whatever name; one more file beside the model does
    -- not make it another one.
    select o.id, o.model_id, o.lineage, o.created_by, o.run_id, o.logged_model_id
      from model_version v join model_version o on o.digest = v.digest
     where v.id = $1 and exists (select from artifact f where f.version_id = v.id)
    union
    select o.id, o.model_id, o.lineage, o.created_by, o.run_id, o.logged_model_id
      from artifact f
      join artifact other on other.sha256 = f.sha256 and other.path ilike '%.onnx'
      join model_version o on o.id = other.version_id
     where f.version_id = $1 and f.path ilike '%.onnx')
  union
  select parent.id, parent.model_id, parent.lineage, parent.created_by, parent.run_id, parent.logged_model_id
    from ancestry child cross join lateral (
      select * from model_version where id = (child.lineage ->> 'parentVersionId')::uuid offset 0) parent
), files as (
  select f.id, f.created_by from ancestry cross join lateral (
    select id, created_by from artifact where version_id = ancestry.id offset 0) f
), logged as (
  select id, created_by, source_run_id from logged_model where id in (select logged_model_id from ancestry)
), runs as (
  select id, created_by from training_run
   where id in (select run_id from ancestry) or id in (select source_run_id from logged)
), data as (
  select d.id, d.created_by
    from ancestry
    join version_dataset l on l.version_id = ancestry.id
    join dataset_version d
      on d.id = l.dataset_version_id
      or (l.dataset_version_id is null and d.workspace_id = l.workspace_id and d.sha256 = l.sha256)
), models as (
  select id, created_by from registered_model where id = (select model_id from model_version where id = $1)
), subject(kind, id, command) as (
  select 'modelVersion', id::text, null from ancestry
  union select 'artifact', id::text, null from files
  union select 'loggedModel', id::text, null from logged
  union select 'run', id::text, null from runs
  union select 'trackedFile', id::text, null from tracked_file where model_id in (select id from logged)
  union select 'datasetVersion', id::text, null from data
  union select 'evaluation', id::text, null from evaluation where version_id = $1
  union select 'card', id::text, null from model_card where version_id = $1
  union select 'model', id::text, 'model.create' from models
), deed as (
  -- One look into the index of the trail for each subject: the trail is longer than everything else together.
  select e.actor_id, convert_from(e.canonical, 'UTF8')::jsonb -> 'actor' ->> 'token' as token_id
    from subject cross join lateral (
      select actor_id, canonical from audit_event
       where workspace_id = app_workspace() and subject_kind = subject.kind and subject_id = subject.id
         and outcome = 'done' and actor_kind <> 'system' and (subject.command is null or command = subject.command)
      offset 0) e
), hand(id) as (
  select actor_id from deed
  union select t.created_by from deed join api_token t on t.id::text = deed.token_id
  union select created_by from ancestry
  union select created_by from files
  union select created_by from models
  union select created_by from logged
  union select created_by from runs
  union select created_by from data
  union select requested_by from evaluation where version_id = $1
)
select id from hand
-- Whoever made a machine answers for what it did.
union select s.created_by from hand join service_account s on s.id::text = hand.id`;

/**
 * Everybody who had a hand in a version, and therefore cannot approve it: ids of persons and of service accounts,
 * and of the persons who made the service accounts and the tokens that were used, since they hold the secrets.
 */
export const lineageActors = async (db: ReadDb, versionId: string): Promise<ReadonlySet<string>> => {
  const rows = await db.sql<{ id: string }>(subjects, [versionId], 'registry.lineage');
  return new Set(rows.map(({ id }) => id).filter((id) => !/^(job|door):|^setup$/.test(id)));
};
