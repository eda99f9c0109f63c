import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What every table stands on: the roles, the scope of a transaction, the trail and its lock, the outbox.
 *
 * Later migrations use two functions from here. `govern(table)`: rows belong to a workspace, nothing crosses it, and
 * no change commits without an entry in the trail. `telemetry(table)`: rows belong to a workspace and are only ever
 * added.
 */
export class Foundation1763888400000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(roles);
    await runner.query(scope);
    await runner.query(trail);
    await runner.query(locks);
    await runner.query(machinery);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('The foundation cannot be taken away; restore a backup instead'));
  }
}

const roles = `
do $$
declare name text;
begin
  foreach name in array array['app_writer', 'app_reader', 'app_system', 'app_queue'] loop
    begin
      if not exists (select from pg_roles where rolname = name) then
        execute format('create role %I nologin noinherit', name);
      end if;
      -- Since PostgreSQL 16 whoever makes a role is its member without the right to become it.
      if not pg_has_role(current_user, name,
        case when current_setting('server_version_num')::int >= 160000 then 'SET' else 'MEMBER' end) then
        execute format('grant %I to current_user', name);
      end if;
    exception
      -- Two installations of one server may be set up at the same time.
      when duplicate_object or unique_violation then null;
    end;
  end loop;
end $$;

grant usage on schema public to app_writer, app_reader, app_system;
revoke create on schema public from public;
create schema if not exists bullmq authorization current_user;
grant usage, create on schema bullmq to app_queue;
`;

const scope = `
create function app_workspace() returns uuid language sql stable parallel safe
  return nullif(current_setting('app.workspace_id', true), '')::uuid;

create function app_organization() returns uuid language sql stable parallel safe
  return nullif(current_setting('app.organization_id', true), '')::uuid;
`;

const trail = `
create table audit_event (
  id uuid primary key,
  workspace_id uuid,
  organization_id uuid,
  command_id uuid not null,
  command text not null,
  outcome text not null check (outcome in ('done', 'refused', 'read')),
  actor_kind text not null check (actor_kind in ('user', 'service', 'system')),
  actor_id text not null,
  subject_kind text not null,
  subject_id text not null,
  at timestamptz not null,
  canonical bytea not null,
  leaf_hash bytea not null check (length(leaf_hash) = 32)
);
create index audit_event_command on audit_event (command_id) where outcome = 'done';
create index audit_event_by_time on audit_event (workspace_id, id);
create index audit_event_by_subject on audit_event (workspace_id, subject_kind, subject_id, id);
create index audit_event_by_actor on audit_event (workspace_id, actor_id, id);

alter table audit_event enable row level security;
alter table audit_event force row level security;
create policy of_workspace on audit_event to app_writer, app_reader
  using (workspace_id = app_workspace()) with check (workspace_id = app_workspace());
create policy of_system on audit_event to app_system using (true) with check (true);
grant select, insert on audit_event to app_writer, app_system;
grant select on audit_event to app_reader;

create function refuse_rewriting() returns trigger language plpgsql as $$
begin
  raise exception '% is append-only: rows are never updated, deleted or truncated', tg_table_name
    using errcode = 'insufficient_privilege';
end $$;

create function append_only(target regclass) returns void language plpgsql as $$
begin
  execute format('create trigger append_only before update or delete on %s for each row execute function refuse_rewriting()', target);
  execute format('create trigger append_only_truncate before truncate on %s for each statement execute function refuse_rewriting()', target);
  execute format('alter table %s enable always trigger append_only', target);
  execute format('alter table %s enable always trigger append_only_truncate', target);
end $$;

select append_only('audit_event');
`;

const locks = `
create function require_audit() returns trigger language plpgsql as $$
declare current_command uuid := nullif(current_setting('app.command_id', true), '')::uuid;
begin
  if current_setting('app.way', true) = 'record' then
    raise exception 'change to % in a record: governed tables are changed by commands', tg_table_name
      using errcode = 'check_violation';
  end if;
  if current_command is null or not exists (
    -- Written by this very transaction: the id of an earlier command opens nothing.
    select 1 from audit_event
     where command_id = current_command and outcome = 'done' and xmin = pg_current_xact_id()::xid
  ) then
    raise exception 'change to % outside an audited command', tg_table_name using errcode = 'check_violation';
  end if;
  return null;
end $$;

-- A truncate asks no row trigger, so it would go around the trail.
create function refuse_truncate() returns trigger language plpgsql as $$
begin
  raise exception '% is never truncated: that would go around the trail', tg_table_name
    using errcode = 'insufficient_privilege';
end $$;

create function refuse_truncate_on(target regclass) returns void language plpgsql as $$
begin
  execute format('create trigger no_truncate before truncate on %s for each statement execute function refuse_truncate()', target);
  execute format('alter table %s enable always trigger no_truncate', target);
end $$;

create function scope_to_workspace(target regclass) returns void language plpgsql as $$
begin
  execute format('alter table %s enable row level security', target);
  execute format('alter table %s force row level security', target);
  execute format(
    'create policy of_workspace on %s to app_writer, app_reader using (workspace_id = app_workspace()) with check (workspace_id = app_workspace())',
    target);
  execute format('grant select on %s to app_reader', target);
end $$;

create function require_audit_on(target regclass) returns void language plpgsql as $$
begin
  execute format(
    'create constraint trigger audited after insert or update or delete on %s deferrable initially deferred for each row execute function require_audit()',
    target);
  perform refuse_truncate_on(target);
end $$;

create function govern(target regclass) returns void language plpgsql as $$
begin
  perform scope_to_workspace(target);
  perform require_audit_on(target);
  execute format('grant select, insert, update, delete on %s to app_writer', target);
end $$;

create function telemetry(target regclass) returns void language plpgsql as $$
begin
  perform scope_to_workspace(target);
  perform refuse_truncate_on(target);
  execute format('grant select, insert on %s to app_writer', target);
end $$;

-- Repairs and migrations that must change governed rows say why first.
create function audited_repair(reason text) returns uuid language plpgsql as $$
declare repair uuid := gen_random_uuid(); body bytea := convert_to(json_build_object('v', 1, 'id', repair, 'command', 'schema.repair', 'reason', reason)::text, 'utf8');
begin
  perform set_config('app.command_id', repair::text, true);
  insert into audit_event (id, command_id, command, outcome, actor_kind, actor_id, subject_kind, subject_id, at, canonical, leaf_hash)
  values (repair, repair, 'schema.repair', 'done', 'system', current_user, 'schema', 'repair', now(), body, sha256('\\x00'::bytea || body));
  return repair;
end $$;
`;

const machinery = `
create table outbox (
  id uuid primary key,
  job text not null,
  queue text not null,
  payload jsonb not null,
  workspace_id uuid,
  organization_id uuid,
  request_id text,
  available_at timestamptz not null default now()
);
create index outbox_available on outbox (available_at, id);

create table job (
  id uuid primary key,
  workspace_id uuid not null,
  name text not null,
  subject_kind text not null,
  subject_id text not null,
  state text not null default 'QUEUED' check (state in ('QUEUED', 'RUNNING', 'DONE', 'FAILED')),
  progress numeric not null default 0 check (progress between 0 and 1),
  message text not null default '',
  attempts integer not null default 0,
  created_at timestamptz not null default now(),
  started_at timestamptz,
  finished_at timestamptz
);
create index job_by_workspace on job (workspace_id, id desc);
create index job_by_subject on job (workspace_id, subject_kind, subject_id, id desc);

create table effect (
  key text primary key,
  workspace_id uuid,
  result jsonb,
  created_at timestamptz not null default now()
);

create table subject_key (
  id uuid primary key,
  workspace_id uuid,
  subject_id text not null,
  wrapped_key bytea,
  created_at timestamptz not null default now(),
  erased_at timestamptz,
  unique nulls not distinct (workspace_id, subject_id)
);

do $$
declare name text;
begin
  foreach name in array array['outbox', 'job', 'effect', 'subject_key'] loop
    execute format('alter table %I enable row level security', name);
    execute format('alter table %I force row level security', name);
    execute format('create policy of_workspace on %I to app_writer, app_reader using (workspace_id = app_workspace()) with check (workspace_id = app_workspace())', name);
    execute format('create policy of_system on %I to app_system using (true) with check (true)', name);
    execute format('grant select, insert, update, delete on %I to app_system', name);
  end loop;
end $$;

select refuse_truncate_on('subject_key');

grant insert on outbox to app_writer;
grant select, insert on job to app_writer;
grant select on job to app_reader;
grant select, insert, update on effect to app_writer;
grant select, insert on subject_key to app_writer;
grant update (wrapped_key, erased_at) on subject_key to app_writer;
grant select on subject_key to app_reader;
`;
