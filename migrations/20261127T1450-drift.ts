import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Evidence from predictions that were sent, frozen baselines with counts by period, and checks of data quality. */
export class Drift1764255000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(predictions);
    await runner.query(baselines);
    await runner.query(windows);
    await runner.query(quality);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Restore a backup instead'));
  }
}

const predictions = `
-- Null: the version is scored here. Otherwise how a table of predictions is to be read.
alter table evaluation add column predictions jsonb;
alter table evidence drop constraint evidence_kind_check;
alter table evidence add constraint evidence_kind_check
  check (kind in ('PERFORMANCE', 'FAIRNESS', 'ATTRIBUTION', 'DRIFT'));
`;

const baselines = `
create table drift_baseline (
  id uuid primary key,
  workspace_id uuid not null references workspace,
  evaluation_id uuid not null,
  version_id uuid not null,
  version_digest text not null check (version_digest ~ '^[0-9a-f]{64}$'),
  use_case_id uuid not null,
  dataset_sha256 text not null check (dataset_sha256 ~ '^[0-9a-f]{64}$'),
  row_count bigint not null check (row_count > 0),
  sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
  document jsonb not null,
  created_at timestamptz not null,
  unique (workspace_id, id),
  unique (evaluation_id),
  foreign key (workspace_id, evaluation_id) references evaluation (workspace_id, id),
  foreign key (workspace_id, version_id) references model_version (workspace_id, id),
  foreign key (workspace_id, use_case_id) references use_case (workspace_id, id)
);
create index drift_baseline_newest on drift_baseline (version_id, use_case_id, id desc);
select govern('drift_baseline');
-- Frozen: what was counted against it would mean something else.
revoke update, delete on drift_baseline from app_writer;
`;

const windows = `
create table drift_window (
  id uuid primary key,
  workspace_id uuid not null references workspace,
  baseline_id uuid not null,
  evaluation_id uuid not null,
  dataset_sha256 text not null check (dataset_sha256 ~ '^[0-9a-f]{64}$'),
  row_count bigint not null check (row_count > 0),
  counts jsonb not null,
  observed_at timestamptz not null,
  created_at timestamptz not null,
  unique (workspace_id, id),
  unique (evaluation_id),
  foreign key (workspace_id, baseline_id) references drift_baseline (workspace_id, id),
  foreign key (workspace_id, evaluation_id) references evaluation (workspace_id, id)
);
create index drift_window_by_time on drift_window (baseline_id, observed_at, id);
select govern('drift_window');
revoke update, delete on drift_window from app_writer;
`;

const quality = `
create table data_quality_check (
  id uuid primary key,
  workspace_id uuid not null references workspace,
  dataset_version_id uuid not null,
  sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
  expectations jsonb not null,
  expectations_sha256 text not null check (expectations_sha256 ~ '^[0-9a-f]{64}$'),
  state text not null check (state in ('QUEUED', 'DONE', 'FAILED')),
  message text not null default '',
  -- UNKNOWN: something could not be judged, and nothing failed.
  verdict text check (verdict in ('PASS', 'FAIL', 'UNKNOWN')),
  report jsonb,
  job_id uuid not null,
  requested_by text not null,
  created_at timestamptz not null,
  finished_at timestamptz,
  unique (workspace_id, id),
  foreign key (workspace_id, dataset_version_id) references dataset_version (workspace_id, id),
  check ((state = 'DONE') = (report is not null and verdict is not null)),
  check ((state = 'QUEUED') = (finished_at is null))
);
create index data_quality_check_by_version on data_quality_check (dataset_version_id, id desc);
create index data_quality_check_by_time on data_quality_check (workspace_id, id desc);
create unique index data_quality_check_by_job on data_quality_check (job_id);
select govern('data_quality_check');
`;
