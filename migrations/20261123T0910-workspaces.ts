import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Organizations, workspaces, people and their roles. These stand above workspaces, so the system role writes them. */
export class Workspaces1763889000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
create table organization (
  id uuid primary key,
  slug text not null unique,
  name text not null,
  created_at timestamptz not null default now()
);

create table workspace (
  id uuid primary key,
  organization_id uuid not null references organization,
  slug text not null,
  name text not null,
  created_at timestamptz not null default now(),
  unique (organization_id, slug)
);

create table app_user (
  id uuid primary key,
  issuer text not null,
  subject text not null,
  display_name text not null,
  email text,
  created_at timestamptz not null default now(),
  disabled_at timestamptz,
  unique (issuer, subject)
);

create table member (
  id uuid primary key,
  workspace_id uuid not null references workspace,
  user_id uuid not null references app_user,
  roles text[] not null,
  -- Roles that rules gave at sign-in; they are replaced at the next one. The others were given by a person.
  roles_by_rule text[] not null default '{}',
  created_at timestamptz not null default now(),
  unique (workspace_id, user_id)
);
create index member_of_user on member (user_id);

do $$
declare name text;
begin
  foreach name in array array['organization', 'workspace', 'app_user', 'member'] loop
    execute format('alter table %I enable row level security', name);
    execute format('alter table %I force row level security', name);
    execute format('create policy of_system on %I to app_system using (true) with check (true)', name);
    execute format('grant select, insert, update, delete on %I to app_system', name);
    execute format('grant select on %I to app_writer, app_reader', name);
    perform require_audit_on(name::regclass);
  end loop;
end $$;

create policy of_organization on organization for select to app_writer, app_reader using (id = app_organization());
create policy of_organization on workspace for select to app_writer, app_reader using (organization_id = app_organization());
create policy of_workspace on member to app_writer, app_reader
  using (workspace_id = app_workspace()) with check (workspace_id = app_workspace());
grant insert, update, delete on member to app_writer;
-- People are seen by those they work with.
create policy of_colleagues on app_user for select to app_writer, app_reader
  using (exists (select 1 from member where member.user_id = app_user.id and member.workspace_id = app_workspace()));
`);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Restore a backup instead'));
  }
}
