import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Data sets and their versions: what models are made from, with licence, provenance and profile. */
export class Datasets1764250800000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(datasets);
    await runner.query(versions);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Restore a backup instead'));
  }
}

const datasets = `
create table dataset (
  id uuid primary key,
  workspace_id uuid not null references workspace,
  name text not null,
  folded text not null,
  description text not null,
  last_version integer not null default 0,
  created_by text not null,
  created_at timestamptz not null,
  deleted_at timestamptz,
  unique (workspace_id, id)
);
create unique index dataset_name on dataset (workspace_id, folded) where deleted_at is null;
select govern('dataset');
`;

const versions = `
create table dataset_version (
  id uuid primary key,
  workspace_id uuid not null,
  dataset_id uuid not null,
  version integer not null check (version > 0),
  source text not null check (source in ('UPLOADED', 'REFERENCED')),
  -- Null until its content came; it never changes after that.
  sha256 text check (sha256 ~ '^[0-9a-f]{64}$'),
  bytes bigint check (bytes >= 0),
  uri text,
  description text not null,
  licence text,
  provenance text,
  protected_attributes jsonb not null,
  columns jsonb,
  row_count bigint check (row_count >= 0),
  profile jsonb,
  profile_state text not null check (profile_state in ('NONE', 'QUEUED', 'DONE', 'FAILED')),
  profile_message text not null default '',
  profile_job_id uuid,
  created_by text not null,
  created_at timestamptz not null,
  registered_at timestamptz,
  deleted_at timestamptz,
  unique (workspace_id, id),
  unique (dataset_id, version),
  foreign key (workspace_id, dataset_id) references dataset (workspace_id, id),
  check ((sha256 is null) = (registered_at is null)),
  check (source <> 'REFERENCED' or (uri is not null and sha256 is not null)),
  check ((profile_state = 'DONE') = (profile is not null))
);
-- The same content twice in one data set is one version.
create unique index dataset_version_content on dataset_version (dataset_id, sha256) where deleted_at is null;
create index dataset_version_by_digest on dataset_version (workspace_id, sha256);
create index dataset_version_by_job on dataset_version (workspace_id, profile_job_id) where profile_job_id is not null;
select govern('dataset_version');
`;
