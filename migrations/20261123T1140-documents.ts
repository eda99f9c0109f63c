import type { MigrationInterface, QueryRunner } from 'typeorm';

/** GraphQL documents that may be run by their sha256. */
export class Documents1763898000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
create table trusted_document (
  id uuid primary key,
  workspace_id uuid not null references workspace,
  sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
  name text not null,
  text text not null check (encode(sha256(convert_to(text, 'UTF8')), 'hex') = sha256),
  created_by text not null,
  created_at timestamptz not null,
  unique (workspace_id, sha256)
);
select govern('trusted_document');
revoke update, delete on trusted_document from app_writer;
`);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Restore a backup instead'));
  }
}
