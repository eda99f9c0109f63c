import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Experiments, logged models and their files (governed); runs with what training scripts tell of them (telemetry).
 * Whatever a version is made from is copied into the version when it is registered, so nothing that is logged later
 * changes what people approve.
 */
export class Tracking1764244800000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(experiments);
    await runner.query(runs);
    await runner.query(told);
    await runner.query(models);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Restore a backup instead'));
  }
}

const experiments = `
create table experiment (
  id uuid primary key,
  workspace_id uuid not null references workspace,
  -- The id that clients know; 0 is the one that every workspace has.
  number integer not null check (number >= 0),
  name text not null,
  tags jsonb not null default '{}',
  created_by text not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  deleted_at timestamptz,
  unique (workspace_id, id),
  unique (workspace_id, number),
  -- A deleted experiment keeps its name, because it can be restored.
  unique (workspace_id, name)
);
select govern('experiment');
`;

const runs = `
create table training_run (
  id uuid primary key,
  workspace_id uuid not null references workspace,
  experiment_id uuid not null,
  name text not null,
  state text not null check (state in ('RUNNING', 'SCHEDULED', 'FINISHED', 'FAILED', 'KILLED')),
  -- Who the client says it is; created_by is who it was.
  claimed_user text not null,
  created_by text not null,
  started_at timestamptz not null,
  ended_at timestamptz,
  deleted_at timestamptz,
  unique (workspace_id, id),
  foreign key (workspace_id, experiment_id) references experiment (workspace_id, id)
);
create index training_run_of_experiment on training_run (experiment_id, started_at desc, id);
select telemetry('training_run');
grant update (name, state, ended_at, deleted_at) on training_run to app_writer;
`;

const told = `
create table run_param (
  workspace_id uuid not null,
  run_id uuid not null,
  key text not null,
  value text not null,
  primary key (run_id, key)
);
select telemetry('run_param');
select append_only('run_param');

-- The same value of the same moment is the same measurement, however often a client sends it.
create table run_metric (
  workspace_id uuid not null,
  run_id uuid not null,
  key text not null,
  at_ms bigint not null,
  step bigint not null,
  value double precision not null,
  primary key (run_id, key, at_ms, step, value)
);
select telemetry('run_metric');
select append_only('run_metric');

create table run_metric_latest (
  workspace_id uuid not null,
  run_id uuid not null,
  key text not null,
  at_ms bigint not null,
  step bigint not null,
  value double precision not null,
  primary key (run_id, key)
);
select telemetry('run_metric_latest');
grant update (at_ms, step, value) on run_metric_latest to app_writer;

-- A tag that was taken away keeps its row, without a value.
create table run_tag (
  workspace_id uuid not null,
  run_id uuid not null,
  key text not null,
  value text,
  primary key (run_id, key)
);
select telemetry('run_tag');
grant update (value) on run_tag to app_writer;

create table run_dataset (
  workspace_id uuid not null,
  run_id uuid not null,
  name text not null,
  digest text not null,
  source_type text not null,
  source text not null,
  schema text,
  profile text,
  tags jsonb not null,
  primary key (run_id, name, digest)
);
select telemetry('run_dataset');
select append_only('run_dataset');
`;

const models = `
create table logged_model (
  id uuid primary key,
  workspace_id uuid not null references workspace,
  experiment_id uuid not null,
  source_run_id uuid,
  name text not null,
  model_type text not null,
  state text not null check (state in ('PENDING', 'READY', 'UPLOAD_FAILED')),
  params jsonb not null default '{}',
  tags jsonb not null default '{}',
  created_by text not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  deleted_at timestamptz,
  unique (workspace_id, id),
  foreign key (workspace_id, experiment_id) references experiment (workspace_id, id),
  foreign key (workspace_id, source_run_id) references training_run (workspace_id, id)
);
create index logged_model_of_experiment on logged_model (experiment_id, created_at desc, id);
select govern('logged_model');

create table run_model (
  workspace_id uuid not null,
  run_id uuid not null,
  direction text not null check (direction in ('IN', 'OUT')),
  model_id uuid not null,
  step bigint not null,
  primary key (run_id, direction, model_id)
);
select telemetry('run_model');
select append_only('run_model');

create table logged_model_metric (
  workspace_id uuid not null,
  model_id uuid not null,
  run_id uuid not null,
  key text not null,
  at_ms bigint not null,
  step bigint not null,
  value double precision not null,
  dataset_name text,
  dataset_digest text,
  primary key (model_id, run_id, key, at_ms, step, value)
);
select telemetry('logged_model_metric');
select append_only('logged_model_metric');

-- A file of a run or of a logged model; its content is kept under its digest.
create table tracked_file (
  id uuid primary key,
  workspace_id uuid not null,
  run_id uuid,
  model_id uuid,
  path text not null,
  sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
  bytes bigint not null check (bytes >= 0),
  media_type text not null,
  created_by text not null,
  created_at timestamptz not null,
  check (num_nulls(run_id, model_id) = 1),
  unique nulls not distinct (run_id, model_id, path),
  foreign key (workspace_id, run_id) references training_run (workspace_id, id),
  foreign key (workspace_id, model_id) references logged_model (workspace_id, id)
);
create index tracked_file_of_model on tracked_file (model_id, path) where model_id is not null;
select govern('tracked_file');
`;
