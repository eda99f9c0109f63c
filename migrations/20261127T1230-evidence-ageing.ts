import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Evidence grows old: warnings ahead of its date, and events that make it stale before. */
export class EvidenceAgeing1764246600000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
create table evidence_invalidation (
  id uuid primary key,
  workspace_id uuid not null references workspace,
  evidence_id uuid not null unique,
  cause text not null check (cause in ('DRIFT', 'DATA_VERSION', 'REVOKED_MEMBER', 'ADVISORY', 'OTHER')),
  reason text not null,
  invalidated_by text not null,
  created_at timestamptz not null,
  foreign key (workspace_id, evidence_id) references evidence (workspace_id, id)
);
select govern('evidence_invalidation');
revoke update, delete on evidence_invalidation from app_writer;

create table evidence_warning (
  id uuid primary key,
  workspace_id uuid not null references workspace,
  evidence_id uuid not null,
  -- 0 says that its date has passed.
  days_ahead integer not null check (days_ahead in (30, 7, 1, 0)),
  created_at timestamptz not null,
  unique (evidence_id, days_ahead),
  foreign key (workspace_id, evidence_id) references evidence (workspace_id, id)
);
select govern('evidence_warning');
revoke update, delete on evidence_warning from app_writer;

-- The clock looks over all workspaces.
create policy of_system on evidence for select to app_system using (true);
create policy of_system on evidence_invalidation for select to app_system using (true);
create policy of_system on evidence_warning for select to app_system using (true);
create policy of_system on model_alias for select to app_system using (true);
grant select on evidence, evidence_invalidation, evidence_warning, model_alias to app_system;
create index model_alias_approved on model_alias (version_id, use_case_id) where change_request_id is not null;
create index model_alias_by_request on model_alias (change_request_id) where change_request_id is not null;
`);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Restore a backup instead'));
  }
}
