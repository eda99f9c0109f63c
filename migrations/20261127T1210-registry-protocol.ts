import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What the registry keeps for clients that speak MLflow: stages, where a version came from, when it last changed. */
export class RegistryProtocol1764245400000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(statements);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Restore a backup instead'));
  }
}

const statements = `
alter table registered_model
  drop constraint registered_model_kind_check,
  add constraint registered_model_kind_check check (kind in ('ONNX', 'EXTERNAL', 'MLFLOW')),
  -- Null: as it was created.
  add column updated_at timestamptz;

alter table model_version
  add column stage text not null default 'None' check (stage in ('None', 'Staging', 'Production', 'Archived')),
  -- Where its files came from, in the words of whoever registered it.
  add column source text not null default '',
  add column run_id uuid,
  add column run_link text not null default '',
  add column logged_model_id uuid,
  add column updated_at timestamptz;

create index model_version_recent on model_version (workspace_id, (coalesce(updated_at, created_at)) desc, id)
  where deleted_at is null;
create index model_version_of_run on model_version (run_id) where run_id is not null;
create index model_version_of_logged_model on model_version (logged_model_id) where logged_model_id is not null;
create index model_version_staged on model_version (model_id, stage, version desc)
  where deleted_at is null and stage <> 'None';
-- The same bytes need not be examined twice.
create index model_version_of_bytes on model_version (workspace_id, digest) where state = 'READY' and intake is not null;
create index model_version_by_creation on model_version (workspace_id, created_at desc) where deleted_at is null;

-- A value may be longer than an index entry may be. A column and not an expression: row-level security lets only
-- comparisons that leak nothing be answered by an index, and a function is none.
alter table model_tag add column value_start text generated always as (left(value, 100)) stored;
create index model_tag_by_value on model_tag (workspace_id, key, value_start);
`;
