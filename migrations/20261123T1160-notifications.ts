import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What people were told, or why not. */
export class Notifications1763899200000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
create table notification (
  id uuid primary key,
  workspace_id uuid not null references workspace,
  channel text not null,
  subject_kind text not null,
  subject_id uuid not null,
  title text not null,
  state text not null check (state in ('SENT', 'NOT_SENT')),
  -- The vendor's id of the message.
  external_id text,
  reason text,
  -- The change that caused it: one message per change.
  dedupe_key text not null,
  created_at timestamptz not null,
  unique (workspace_id, dedupe_key),
  check ((state = 'SENT') = (external_id is not null)),
  check ((state = 'NOT_SENT') = (reason is not null))
);
create index notification_by_time on notification (workspace_id, id desc);
create index notification_by_subject on notification (workspace_id, subject_kind, subject_id);
select govern('notification');
`);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Restore a backup instead'));
  }
}
