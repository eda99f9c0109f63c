import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The card of a version in a use case: what people attested. What the registry knows is read from there. */
export class Cards1763894400000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
create table model_card (
  id uuid primary key,
  workspace_id uuid not null references workspace,
  version_id uuid not null,
  use_case_id uuid not null,
  fields jsonb not null,
  revision integer not null check (revision > 0),
  created_at timestamptz not null,
  updated_at timestamptz not null,
  unique (workspace_id, version_id, use_case_id),
  foreign key (workspace_id, version_id) references model_version (workspace_id, id),
  foreign key (workspace_id, use_case_id) references use_case (workspace_id, id)
);
select govern('model_card');
`);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Restore a backup instead'));
  }
}
