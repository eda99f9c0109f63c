import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Evaluations, and the evidence they leave. Evidence is added and never changed: newer evidence stands beside it. */
export class Evaluations1763893200000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(evaluations);
    await runner.query(evidence);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Restore a backup instead'));
  }
}

const evaluations = `
create table evaluation (
  id uuid primary key,
  workspace_id uuid not null references workspace,
  version_id uuid not null,
  use_case_id uuid not null,
  suite text not null,
  dataset jsonb not null,
  state text not null check (state in ('QUEUED', 'RUNNING', 'DONE', 'FAILED')),
  failure text,
  job_id uuid not null,
  requested_by text not null,
  created_at timestamptz not null,
  finished_at timestamptz,
  unique (workspace_id, id),
  foreign key (workspace_id, version_id) references model_version (workspace_id, id),
  foreign key (workspace_id, use_case_id) references use_case (workspace_id, id),
  check ((state = 'FAILED') = (failure is not null)),
  check ((state in ('DONE', 'FAILED')) = (finished_at is not null))
);
create index evaluation_by_time on evaluation (workspace_id, id desc);
create index evaluation_by_version on evaluation (version_id, use_case_id, id desc);
create unique index evaluation_by_job on evaluation (job_id);
-- The same question is not asked twice at a time.
create unique index evaluation_one_open on evaluation (version_id, use_case_id, (dataset ->> 'sha256'))
  where state in ('QUEUED', 'RUNNING');
select govern('evaluation');
`;

const evidence = `
create table evidence (
  id uuid primary key,
  workspace_id uuid not null references workspace,
  evaluation_id uuid,
  version_id uuid not null,
  version_digest text not null check (version_digest ~ '^[0-9a-f]{64}$'),
  use_case_id uuid not null,
  kind text not null check (kind in ('PERFORMANCE', 'FAIRNESS', 'ATTRIBUTION')),
  provenance text not null check (provenance in ('COMPUTED', 'SUBMITTED')),
  result jsonb not null,
  -- STALE is not stored: it follows from expires_at and the time at which one looks.
  verdict text not null check (verdict in ('PASS', 'FAIL', 'MISSING')),
  input_sha256 text not null check (input_sha256 ~ '^[0-9a-f]{64}$'),
  result_sha256 text not null check (result_sha256 ~ '^[0-9a-f]{64}$'),
  engine_version text not null,
  seed integer not null,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  unique (workspace_id, id),
  unique (evaluation_id, kind),
  foreign key (workspace_id, evaluation_id) references evaluation (workspace_id, id),
  foreign key (workspace_id, version_id) references model_version (workspace_id, id),
  foreign key (workspace_id, use_case_id) references use_case (workspace_id, id),
  check (expires_at > created_at),
  check (provenance <> 'COMPUTED' or evaluation_id is not null)
);
create index evidence_newest on evidence (version_id, use_case_id, kind, id desc);
create index evidence_by_time on evidence (workspace_id, id desc);
select govern('evidence');
revoke update, delete on evidence from app_writer;
`;
