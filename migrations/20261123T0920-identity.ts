import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Who is at the door: sessions, sign-ins under way, rules from groups to roles, service accounts and API tokens. */
export class Identity1763890200000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(governed);
    await runner.query(machinery);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Restore a backup instead'));
  }
}

const governed = `
create table role_rule (
  id uuid primary key,
  workspace_id uuid not null references workspace,
  -- A group as the identity provider names it.
  group_name text not null,
  role text not null,
  -- A rule never gives its role to the person who made it.
  created_by text not null,
  created_at timestamptz not null,
  unique (workspace_id, group_name, role)
);
create index role_rule_by_group on role_rule (group_name);

create table service_account (
  id uuid primary key,
  workspace_id uuid not null references workspace,
  name text not null,
  description text not null,
  roles text[] not null,
  created_by text not null,
  created_at timestamptz not null,
  disabled_at timestamptz,
  unique (workspace_id, name),
  unique (workspace_id, id)
);

create table api_token (
  id uuid primary key,
  workspace_id uuid not null references workspace,
  service_account_id uuid,
  user_id uuid references app_user,
  name text not null,
  -- The beginning of the token, by which people tell their tokens apart.
  prefix text not null,
  secret_hash bytea not null unique check (length(secret_hash) = 32),
  -- Null: all that the holder may.
  scopes text[],
  -- A token that was made with another token ends with it.
  parent_id uuid references api_token,
  -- When the person who made it had last proved who they are.
  authenticated_at timestamptz,
  created_by text not null,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  revoked_at timestamptz,
  check (num_nonnulls(service_account_id, user_id) = 1),
  check (expires_at > created_at),
  foreign key (workspace_id, service_account_id) references service_account (workspace_id, id)
);
create index api_token_of_account on api_token (service_account_id);
create index api_token_of_user on api_token (user_id);
create index api_token_of_parent on api_token (parent_id);

do $$
declare name text;
begin
  foreach name in array array['role_rule', 'service_account', 'api_token'] loop
    perform govern(name::regclass);
    -- Sign-in reads rules of all workspaces; disabling a person revokes their tokens in all of them.
    execute format('create policy of_system on %I to app_system using (true) with check (true)', name);
    execute format('grant select, update on %I to app_system', name);
  end loop;
end $$;
`;

const machinery = `
create table session (
  id uuid primary key,
  user_id uuid not null references app_user,
  token_hash bytea not null unique check (length(token_hash) = 32),
  chosen_workspace uuid references workspace,
  -- Sealed with a key that only the browser's cookie gives; told to the provider at sign-out.
  id_token_hint text,
  user_agent text,
  authenticated_at timestamptz not null,
  created_at timestamptz not null,
  last_seen_at timestamptz not null,
  expires_at timestamptz not null,
  ended_at timestamptz,
  end_reason text check (end_reason in ('SIGNED_OUT', 'ENDED', 'REPLACED', 'DISABLED'))
);
create index session_of_user on session (user_id, id);
create index session_by_expiry on session (expires_at);

create table sign_in (
  id uuid primary key,
  state_hash bytea not null unique,
  browser_hash bytea not null,
  nonce text not null,
  code_verifier text not null,
  return_to text not null,
  fresh boolean not null,
  created_at timestamptz not null,
  expires_at timestamptz not null
);
create index sign_in_by_expiry on sign_in (expires_at);

create table api_token_use (
  token_id uuid primary key references api_token,
  last_used_at timestamptz not null
);

do $$
declare name text;
begin
  foreach name in array array['session', 'sign_in', 'api_token_use'] loop
    execute format('alter table %I enable row level security', name);
    execute format('alter table %I force row level security', name);
    execute format('create policy of_system on %I to app_system using (true) with check (true)', name);
    execute format('grant select, insert, update, delete on %I to app_system', name);
  end loop;
end $$;

-- Holders of tokens see when they were last used.
create policy of_visible_token on api_token_use for select to app_writer, app_reader
  using (exists (select 1 from api_token where api_token.id = api_token_use.token_id));
grant select on api_token_use to app_writer, app_reader;
`;
