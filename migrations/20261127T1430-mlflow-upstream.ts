import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What was taken over from another MLflow server, that which we stand in front of or that which was imported from. */
export class MlflowUpstream1764253800000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(copies);
    await runner.query(differences);
    await runner.query(imports);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Restore a backup instead'));
  }
}

const copies = `
-- A model, or a version of it, that stands in another server too: what was said of it there is kept as that, and never
-- as if it had happened here.
create table upstream_copy (
  id uuid primary key,
  workspace_id uuid not null references workspace,
  model_id uuid not null,
  -- Null: the model itself.
  version_id uuid,
  -- Without a name and a password.
  address text not null,
  facts jsonb not null,
  -- The digest of all that was said there, so that what is the same is seen at once.
  told_sha256 text not null check (told_sha256 ~ '^[0-9a-f]{64}$'),
  files text not null check (files in ('NONE', 'PENDING', 'KEPT', 'ELSEWHERE', 'FAILED')),
  -- Where the files stand in that server's artifact proxy; empty when they do not.
  location text not null default '',
  message text not null default '',
  taken_by text not null,
  taken_at timestamptz not null,
  updated_at timestamptz,
  unique nulls not distinct (model_id, version_id),
  foreign key (workspace_id, model_id) references registered_model (workspace_id, id),
  foreign key (workspace_id, version_id, model_id) references model_version (workspace_id, id, model_id)
);
create index upstream_copy_location on upstream_copy (workspace_id, location text_pattern_ops) where location <> '';
select govern('upstream_copy');
revoke delete on upstream_copy from app_writer;
-- The clock asks for the comparison of each workspace that has any.
create policy of_system on upstream_copy for select to app_system using (true);
grant select on upstream_copy to app_system;
`;

const differences = `
-- What stands otherwise in the other server, since somebody changed it there and not through us.
create table upstream_difference (
  id uuid primary key,
  workspace_id uuid not null references workspace,
  model_id uuid not null,
  -- alias:champion, stage:Production, version:3
  what text not null,
  ours text not null,
  theirs text not null,
  finding_id uuid,
  since timestamptz not null,
  settled_at timestamptz,
  foreign key (workspace_id, model_id) references registered_model (workspace_id, id)
);
create unique index upstream_difference_open on upstream_difference (model_id, what) where settled_at is null;
select govern('upstream_difference');
revoke delete on upstream_difference from app_writer;
`;

const imports = `
create table mlflow_import (
  id uuid primary key,
  workspace_id uuid not null references workspace,
  -- Known when it begins: the server is a setting of the installation, or of whoever sits at the command line.
  address text not null default '',
  artifacts text not null check (artifacts in ('COPY', 'REFERENCE')),
  state text not null check (state in ('RUNNING', 'DONE', 'FAILED')),
  message text not null default '',
  counts jsonb not null default '{}',
  started_by text not null,
  started_at timestamptz not null,
  finished_at timestamptz,
  unique (workspace_id, id),
  check ((state = 'RUNNING') = (finished_at is null))
);
create unique index mlflow_import_running on mlflow_import (workspace_id) where state = 'RUNNING';
select govern('mlflow_import');
revoke delete on mlflow_import from app_writer;

-- What an import did or left, and why; what was the same as before is only counted.
create table mlflow_import_item (
  id uuid primary key,
  workspace_id uuid not null references workspace,
  import_id uuid not null,
  kind text not null check (kind in ('MODEL', 'VERSION', 'ALIAS', 'STAGE')),
  name text not null,
  outcome text not null check (outcome in ('IMPORTED', 'UPDATED', 'SKIPPED', 'ASKED_FOR', 'WAITING', 'FAILED')),
  reason text not null,
  noted_at timestamptz not null,
  unique (import_id, kind, name),
  foreign key (workspace_id, import_id) references mlflow_import (workspace_id, id)
);
select govern('mlflow_import_item');
revoke delete on mlflow_import_item from app_writer;
`;
