import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The doors through which decisions are asked for. */
export class Deployments1763895600000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
create table endpoint (
  id uuid primary key,
  workspace_id uuid not null references workspace,
  slug text not null,
  name text not null,
  use_case_id uuid not null,
  model_id uuid not null,
  alias text not null,
  state text not null check (state in ('ACTIVE', 'SUSPENDED')),
  suspended_by text,
  suspended_at timestamptz,
  suspension_reason text,
  created_by text not null,
  created_at timestamptz not null,
  unique (workspace_id, slug),
  unique (workspace_id, id),
  foreign key (workspace_id, use_case_id) references use_case (workspace_id, id),
  foreign key (workspace_id, model_id) references registered_model (workspace_id, id),
  check ((state = 'SUSPENDED') = (num_nulls(suspended_by, suspended_at, suspension_reason) = 0))
);
select govern('endpoint');
`);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Restore a backup instead'));
  }
}
