import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What went out of the ordinary and must be looked at by somebody independent. */
export class Incidents1764247200000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
create table incident (
  id uuid primary key,
  workspace_id uuid not null references workspace,
  kind text not null check (kind in ('BREAK_GLASS')),
  title text not null,
  detail text not null,
  state text not null check (state in ('OPEN', 'REVIEWED')),
  model_id uuid not null,
  version_id uuid not null,
  change_request_id uuid not null,
  opened_by text not null,
  opened_at timestamptz not null,
  review_due_at timestamptz not null,
  verdict text check (verdict in ('JUSTIFIED', 'UNJUSTIFIED')),
  review text,
  reviewed_by text,
  reviewed_at timestamptz,
  unique (workspace_id, id),
  foreign key (workspace_id, version_id, model_id) references model_version (workspace_id, id, model_id),
  foreign key (workspace_id, change_request_id) references change_request (workspace_id, id),
  check ((state = 'REVIEWED') = (num_nulls(verdict, review, reviewed_by, reviewed_at) = 0)),
  check (review_due_at > opened_at)
);
create index incident_by_time on incident (workspace_id, id desc);
create index incident_open on incident (model_id, review_due_at) where state = 'OPEN';
select govern('incident');
`);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Restore a backup instead'));
  }
}
