import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Every edit of a card stays as a revision. What was edited before is known as it stood at last. */
export class CardRevisions1764249000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
alter table model_card add unique (workspace_id, id);

create table card_revision (
  id uuid primary key,
  workspace_id uuid not null references workspace,
  card_id uuid not null,
  revision integer not null check (revision > 0),
  fields jsonb not null,
  changed jsonb not null,
  made_by text not null,
  created_at timestamptz not null,
  unique (card_id, revision),
  foreign key (workspace_id, card_id) references model_card (workspace_id, id)
);
select govern('card_revision');

-- Whoever owns the tables is held by row-level security as well; for this once every workspace is meant. The trail is
-- written and looked at by the role that may.
alter table model_card no force row level security;
alter table card_revision no force row level security;
set local role app_system;
select audited_repair('the cards that stand get their last revision');
reset role;
insert into card_revision (id, workspace_id, card_id, revision, fields, changed, made_by, created_at)
select gen_random_uuid(), k.workspace_id, k.id, k.revision, k.fields,
       (select coalesce(jsonb_agg(name order by name), '[]') from jsonb_object_keys(k.fields) name),
       coalesce((select f.value ->> 'by' from jsonb_each(k.fields) f order by f.value ->> 'at' desc limit 1), 'unknown'),
       k.updated_at
  from model_card k;
-- Checked now and not at the commit: a table with checks to come cannot be altered.
set local role app_system;
set constraints all immediate;
reset role;
alter table model_card force row level security;
alter table card_revision force row level security;

revoke update, delete on card_revision from app_writer;
`);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Restore a backup instead'));
  }
}
