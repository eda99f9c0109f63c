import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Intended uses: approvals, cards and risk belong to a model in one of them. */
export class UseCases1763892000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
create table use_case (
  id uuid primary key,
  workspace_id uuid not null references workspace,
  slug text not null,
  name text not null,
  purpose text not null,
  people_affected text not null,
  owner_id uuid not null references app_user,
  risk_tier text not null check (risk_tier in ('LOW', 'MEDIUM', 'HIGH')),
  created_at timestamptz not null,
  unique (workspace_id, slug),
  unique (workspace_id, id)
);
select govern('use_case');
`);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Restore a backup instead'));
  }
}
