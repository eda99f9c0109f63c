import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Reports, the schedules that ask for them, and one row per time at which a schedule was due. */
export class Reports1763898600000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(schedules);
    await runner.query(reports);
    await runner.query(runs);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Restore a backup instead'));
  }
}

const schedules = `
create table report_schedule (
  id uuid primary key,
  workspace_id uuid not null references workspace,
  name text not null,
  template text not null,
  subject_kind text not null check (subject_kind in ('modelVersion', 'endpoint')),
  subject_id uuid not null,
  cron text not null,
  time_zone text not null,
  catch_up text not null check (catch_up in ('SKIP', 'ONCE', 'ALL')),
  state text not null check (state in ('ACTIVE', 'PAUSED')),
  -- Null while paused: nothing is due.
  next_run_at timestamptz,
  created_by text not null,
  created_at timestamptz not null,
  unique (workspace_id, id),
  check ((state = 'ACTIVE') = (next_run_at is not null))
);
create index report_schedule_due on report_schedule (next_run_at) where state = 'ACTIVE';
create index report_schedule_by_time on report_schedule (workspace_id, id desc);
select govern('report_schedule');
-- The clock looks over all workspaces and changes nothing.
create policy of_system on report_schedule for select to app_system using (true);
grant select on report_schedule to app_system;
`;

const reports = `
create table report (
  id uuid primary key,
  workspace_id uuid not null references workspace,
  template text not null,
  title text not null,
  subject_kind text not null check (subject_kind in ('modelVersion', 'endpoint')),
  subject_id uuid not null,
  period_from timestamptz,
  period_to timestamptz,
  -- Nothing later than this is in the report.
  cut_off timestamptz not null,
  state text not null check (state in ('QUEUED', 'RUNNING', 'DONE', 'FAILED')),
  failure text,
  job_id uuid not null unique,
  requested_by text not null,
  schedule_id uuid,
  created_at timestamptz not null,
  finished_at timestamptz,
  data_sha256 text check (data_sha256 ~ '^[0-9a-f]{64}$'),
  pdf_sha256 text check (pdf_sha256 ~ '^[0-9a-f]{64}$'),
  pdf_bytes integer,
  xlsx_sha256 text check (xlsx_sha256 ~ '^[0-9a-f]{64}$'),
  xlsx_bytes integer,
  unique (workspace_id, id),
  foreign key (workspace_id, schedule_id) references report_schedule (workspace_id, id),
  check (period_from < period_to),
  check ((state = 'FAILED') = (failure is not null)),
  check ((state in ('DONE', 'FAILED')) = (finished_at is not null)),
  check (state <> 'DONE' or num_nulls(data_sha256, pdf_sha256, pdf_bytes, xlsx_sha256, xlsx_bytes) = 0)
);
create index report_by_time on report (workspace_id, id desc);
create index report_by_subject on report (subject_id, id desc);
select govern('report');
`;

const runs = `
create table report_schedule_run (
  id uuid primary key,
  workspace_id uuid not null references workspace,
  schedule_id uuid not null,
  scheduled_for timestamptz not null,
  outcome text not null check (outcome in ('RENDERED', 'SKIPPED')),
  report_id uuid,
  created_at timestamptz not null,
  -- A time is due once, however many workers look at the clock.
  unique (schedule_id, scheduled_for),
  foreign key (workspace_id, schedule_id) references report_schedule (workspace_id, id),
  foreign key (workspace_id, report_id) references report (workspace_id, id),
  check ((outcome = 'RENDERED') = (report_id is not null))
);
select govern('report_schedule_run');
`;
