import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Models, their versions, artifacts, aliases and tags. What is deleted stays as a tombstone, so that a name that is
 * used again is another model and inherits nothing. `folded` is a name as it is compared: two names that a person
 * could take for each other fold to the same text.
 */
export class Registry1763892600000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(models);
    await runner.query(versions);
    await runner.query(names);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Restore a backup instead'));
  }
}

const models = `
create table registered_model (
  id uuid primary key,
  workspace_id uuid not null references workspace,
  name text not null,
  folded text not null,
  description text not null,
  kind text not null check (kind in ('ONNX', 'EXTERNAL')),
  -- The next version gets the next number; a number is never given twice.
  last_version integer not null default 0,
  created_by text not null,
  created_at timestamptz not null,
  deleted_at timestamptz,
  -- Others refer to a row together with its workspace, so that nothing can point across.
  unique (workspace_id, id)
);
create unique index registered_model_name on registered_model (workspace_id, folded) where deleted_at is null;
select govern('registered_model');
`;

const versions = `
create table model_version (
  id uuid primary key,
  workspace_id uuid not null,
  model_id uuid not null,
  version integer not null check (version > 0),
  state text not null check (state in ('PENDING_INTAKE', 'READY', 'REJECTED')),
  state_message text not null default '',
  description text not null default '',
  -- Set when the set of artifacts is closed; nothing is added or changed after that.
  submitted_at timestamptz,
  digest text check (digest ~ '^[0-9a-f]{64}$'),
  intake_job_id uuid,
  signature jsonb,
  intake jsonb,
  metrics jsonb not null,
  params jsonb not null,
  lineage jsonb not null,
  created_by text not null,
  created_at timestamptz not null,
  deleted_at timestamptz,
  unique (workspace_id, id),
  unique (workspace_id, id, model_id),
  unique (model_id, version),
  check (state <> 'READY' or (submitted_at is not null and digest is not null)),
  foreign key (workspace_id, model_id) references registered_model (workspace_id, id)
);
select govern('model_version');

create table artifact (
  id uuid primary key,
  workspace_id uuid not null,
  version_id uuid not null,
  path text not null,
  sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
  bytes bigint not null check (bytes >= 0),
  media_type text not null,
  created_by text not null,
  created_at timestamptz not null,
  unique (version_id, path),
  foreign key (workspace_id, version_id) references model_version (workspace_id, id)
);
create index artifact_by_content on artifact (workspace_id, sha256);
select govern('artifact');
`;

const names = `
create table model_alias (
  id uuid primary key,
  workspace_id uuid not null,
  model_id uuid not null,
  name text not null,
  folded text not null,
  version_id uuid not null,
  use_case_id uuid,
  moved_at timestamptz not null,
  moved_by text not null,
  change_request_id uuid,
  unique (model_id, folded),
  foreign key (workspace_id, use_case_id) references use_case (workspace_id, id),
  -- An alias names a version of its own model.
  foreign key (workspace_id, version_id, model_id) references model_version (workspace_id, id, model_id)
);
create index model_alias_by_version on model_alias (version_id);
select govern('model_alias');

create table model_tag (
  id uuid primary key,
  workspace_id uuid not null,
  model_id uuid not null,
  -- Null: the tag is of the model itself.
  version_id uuid,
  key text not null,
  value text not null,
  set_by text not null,
  set_at timestamptz not null,
  unique nulls not distinct (model_id, version_id, key),
  foreign key (workspace_id, model_id) references registered_model (workspace_id, id),
  foreign key (workspace_id, version_id, model_id) references model_version (workspace_id, id, model_id)
);
select govern('model_tag');
`;
