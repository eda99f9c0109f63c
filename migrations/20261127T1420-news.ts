import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What people and other systems are told of: news, inboxes, preferences, webhooks, and every delivery. */
export class News1764253200000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(people);
    await runner.query(webhooks);
    await runner.query(deliveries);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Restore a backup instead'));
  }
}

const people = `
create table news (
  id uuid primary key,
  workspace_id uuid not null references workspace,
  event text not null,
  subject_kind text not null,
  subject_id uuid not null,
  title text not null,
  lines text[] not null,
  link text not null check (link like '/%'),
  -- Who caused it; null: time, or the product itself.
  actor_id text,
  -- The same thing is told once.
  dedupe_key text not null,
  created_at timestamptz not null,
  unique (workspace_id, id),
  unique (workspace_id, dedupe_key)
);
select govern('news');

create table inbox_item (
  id uuid primary key,
  workspace_id uuid not null references workspace,
  news_id uuid not null,
  user_id uuid not null references app_user,
  -- Why this person is told.
  why text not null,
  -- Whether the person wants it in the inbox.
  in_app boolean not null,
  -- Whether it waits for the mail of the day.
  digest_pending boolean not null,
  created_at timestamptz not null,
  read_at timestamptz,
  unique (news_id, user_id),
  foreign key (workspace_id, news_id) references news (workspace_id, id)
);
create index inbox_item_of_user on inbox_item (workspace_id, user_id, id desc) where in_app;
create index inbox_item_unread on inbox_item (workspace_id, user_id) where in_app and read_at is null;
create index inbox_item_for_digest on inbox_item (created_at) where digest_pending;
select govern('inbox_item');
create policy of_system on inbox_item for select to app_system using (true);
grant select on inbox_item to app_system;

create table notification_preference (
  id uuid primary key,
  workspace_id uuid not null references workspace,
  user_id uuid not null references app_user,
  event text not null,
  channel text not null check (channel in ('IN_APP', 'EMAIL', 'SLACK')),
  mode text not null check (mode in ('OFF', 'AT_ONCE', 'DAILY')),
  updated_at timestamptz not null,
  unique (workspace_id, user_id, event, channel)
);
select govern('notification_preference');

create table notification_address (
  id uuid primary key,
  workspace_id uuid not null references workspace,
  user_id uuid not null references app_user,
  channel text not null check (channel in ('SLACK')),
  -- How the channel knows the person.
  address text not null,
  updated_at timestamptz not null,
  unique (workspace_id, user_id, channel)
);
select govern('notification_address');
`;

const webhooks = `
create table webhook (
  id uuid primary key,
  workspace_id uuid not null references workspace,
  name text not null,
  -- Where it leads, without what may be a secret in it.
  target text not null,
  sealed_url text not null,
  format text not null check (format in ('STANDARD', 'TEAMS', 'JSON')),
  events text[] not null check (cardinality(events) > 0),
  state text not null check (state in ('ACTIVE', 'PAUSED', 'DISABLED', 'DELETED')),
  state_reason text,
  -- Since when every delivery has failed.
  failing_since timestamptz,
  created_by text not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  unique (workspace_id, id)
);
create unique index webhook_by_name on webhook (workspace_id, name) where state <> 'DELETED';
select govern('webhook');
revoke delete on webhook from app_writer;

create table webhook_secret (
  id uuid primary key,
  workspace_id uuid not null references workspace,
  webhook_id uuid not null,
  sealed text not null,
  created_at timestamptz not null,
  -- Until when it still signs beside its successor; null: it is the current one.
  expires_at timestamptz,
  foreign key (workspace_id, webhook_id) references webhook (workspace_id, id)
);
create unique index webhook_secret_current on webhook_secret (webhook_id) where expires_at is null;
create index webhook_secret_of_webhook on webhook_secret (webhook_id);
select govern('webhook_secret');
`;

const deliveries = `
create table delivery (
  id uuid primary key,
  workspace_id uuid not null references workspace,
  channel text not null check (channel in ('EMAIL', 'SLACK', 'WEBHOOK')),
  user_id uuid references app_user,
  webhook_id uuid,
  event text not null,
  -- One, or those of a digest.
  news_ids uuid[] not null check (cardinality(news_ids) > 0),
  state text not null check (state in ('PENDING', 'SENT', 'DEAD', 'NOT_SENT')),
  attempts integer not null check (attempts >= 0),
  -- How many attempts there had been when it was begun anew.
  attempts_before integer not null check (attempts_before >= 0),
  next_try_at timestamptz,
  last_status integer,
  last_reason text,
  created_at timestamptz not null,
  settled_at timestamptz,
  check (num_nonnulls(user_id, webhook_id) = 1),
  check ((channel = 'WEBHOOK') = (webhook_id is not null)),
  check ((state = 'PENDING') = (next_try_at is not null)),
  check ((state = 'PENDING') = (settled_at is null)),
  foreign key (workspace_id, webhook_id) references webhook (workspace_id, id)
);
create index delivery_by_time on delivery (workspace_id, id desc);
create index delivery_of_webhook on delivery (webhook_id, id desc) where webhook_id is not null;
create index delivery_due on delivery (next_try_at) where state = 'PENDING';
select govern('delivery');
create policy of_system on delivery for select to app_system using (true);
grant select on delivery to app_system;
`;
