import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What is wrong or open, with an owner and a date. */
export class Findings1763893800000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
create table finding (
  id uuid primary key,
  workspace_id uuid not null references workspace,
  title text not null,
  detail text not null,
  severity text not null check (severity in ('LOW', 'MEDIUM', 'HIGH')),
  owner_id uuid not null,
  due_at timestamptz not null,
  state text not null check (state in ('OPEN', 'RESOLVED')),
  subject_kind text not null,
  subject_id uuid not null,
  -- Set when an approval with conditions opened it.
  change_request_id uuid,
  created_by text not null,
  created_at timestamptz not null,
  resolution text,
  resolved_by text,
  resolved_at timestamptz,
  check ((state = 'RESOLVED') = (resolution is not null and resolved_by is not null and resolved_at is not null))
);
create index finding_by_state on finding (workspace_id, state, id desc);
create index finding_by_subject on finding (workspace_id, subject_kind, subject_id, id desc);
create index finding_of_change on finding (change_request_id) where change_request_id is not null;
select govern('finding');
`);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Restore a backup instead'));
  }
}
