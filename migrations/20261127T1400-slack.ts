import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Requests in Slack: where their messages stand, what is still to be sent, and which account there is whose. */
export class Slack1764252000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(tables);
    await runner.query(rights);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Restore a backup instead'));
  }
}

const tables = `
create table slack_setting (
  id uuid primary key,
  workspace_id uuid not null unique references workspace,
  -- Null: the channel of the installation.
  channel text,
  -- Null: nobody is reminded, nothing is escalated.
  remind_after_hours integer check (remind_after_hours between 1 and 720),
  escalate_after_hours integer check (escalate_after_hours between 1 and 720),
  -- Null: in the thread of the request.
  escalation_channel text,
  -- Null: whoever is asked.
  escalation_role text,
  updated_by text not null,
  updated_at timestamptz not null
);

create table slack_link (
  id uuid primary key,
  workspace_id uuid not null references workspace,
  user_id uuid not null references app_user,
  team_id text not null,
  slack_user_id text not null,
  -- The one-time link that was used; kept, so that it stays used.
  ticket_id uuid not null,
  linked_at timestamptz not null,
  unlinked_at timestamptz,
  unlinked_by text,
  unique (workspace_id, ticket_id),
  check ((unlinked_at is null) = (unlinked_by is null))
);
create unique index slack_link_of_account on slack_link (workspace_id, team_id, slack_user_id)
  where unlinked_at is null;
create unique index slack_link_of_user on slack_link (workspace_id, user_id, team_id) where unlinked_at is null;

create table slack_message (
  id uuid primary key,
  workspace_id uuid not null references workspace,
  change_request_id uuid not null,
  channel text not null,
  ts text not null,
  -- sha256 of what it shows, so that nothing is sent that would change nothing.
  shown_sha256 text not null check (shown_sha256 ~ '^[0-9a-f]{64}$'),
  created_at timestamptz not null,
  updated_at timestamptz not null,
  unique (workspace_id, change_request_id),
  unique (channel, ts),
  foreign key (workspace_id, change_request_id) references change_request (workspace_id, id)
);

create table slack_delivery (
  id uuid primary key,
  workspace_id uuid not null references workspace,
  -- Null: about a request that is none of this workspace.
  change_request_id uuid,
  content jsonb not null,
  dedupe_key text not null,
  state text not null check (state in ('WAITING', 'SENDING', 'SENT', 'NOT_SENT')),
  attempts integer not null,
  -- Whether an earlier try may have arrived although its answer did not.
  uncertain boolean not null,
  next_at timestamptz not null,
  -- Which job has it, and until when it is left alone with it.
  holder uuid,
  held_until timestamptz,
  -- What nobody needs any more after this time.
  expires_at timestamptz not null,
  ts text,
  reason text,
  created_at timestamptz not null,
  settled_at timestamptz,
  unique (workspace_id, dedupe_key),
  foreign key (workspace_id, change_request_id) references change_request (workspace_id, id),
  check ((state in ('SENT', 'NOT_SENT')) = (settled_at is not null)),
  check ((state = 'NOT_SENT') = (reason is not null)),
  check ((state = 'SENDING') = (holder is not null and held_until is not null))
);
create index slack_delivery_waiting on slack_delivery (workspace_id, id) where state in ('WAITING', 'SENDING');
create index slack_delivery_by_time on slack_delivery (workspace_id, id desc);
create index slack_delivery_of_change on slack_delivery (workspace_id, change_request_id, id desc);
`;

const rights = `
select govern('slack_setting');
select govern('slack_link');
select govern('slack_message');
select govern('slack_delivery');

-- What arrives from Slack belongs to no workspace yet: who it is and which message is meant is looked up in all of
-- them. The clock looks for what waits.
create policy of_system on slack_link for select to app_system using (true);
create policy of_system on slack_message for select to app_system using (true);
create policy of_system on slack_delivery for select to app_system using (true);
grant select on slack_link, slack_message, slack_delivery to app_system;
`;
