import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Policies, the requests they rule, and the decisions of people on them. */
export class Approvals1763895000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(policies);
    await runner.query(requests);
    await runner.query(decisions);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Restore a backup instead'));
  }
}

const policies = `
create table approval_policy (
  id uuid primary key,
  workspace_id uuid not null references workspace,
  revision integer not null check (revision > 0),
  document jsonb not null,
  sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
  source text not null,
  change_request_id uuid not null,
  created_by text not null,
  created_at timestamptz not null,
  unique (workspace_id, revision)
);
select govern('approval_policy');
`;

const requests = `
create table change_request (
  id uuid primary key,
  workspace_id uuid not null references workspace,
  number integer not null check (number > 0),
  kind text not null check (kind in ('ALIAS', 'POLICY', 'ENDPOINT_RESUME')),
  title text not null,
  reason text not null,
  state text not null check (state in ('OPEN', 'APPROVED', 'EXECUTED', 'REJECTED', 'WITHDRAWN', 'EXPIRED')),
  -- What would change; only one request at a time may be open about it.
  target_key text not null,
  model_id uuid,
  version_id uuid,
  from_version_id uuid,
  alias text,
  use_case_id uuid,
  endpoint_id uuid,
  proposal jsonb,
  manifest jsonb not null,
  manifest_sha256 text not null check (manifest_sha256 ~ '^[0-9a-f]{64}$'),
  requested_by text not null,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  approved_at timestamptz,
  closed_by text,
  closed_at timestamptz,
  close_reason text,
  executed_at timestamptz,
  unique (workspace_id, number),
  -- Others refer to a row together with its workspace, so that nothing can point across.
  unique (workspace_id, id),
  foreign key (workspace_id, use_case_id) references use_case (workspace_id, id),
  foreign key (workspace_id, version_id, model_id) references model_version (workspace_id, id, model_id),
  foreign key (workspace_id, from_version_id) references model_version (workspace_id, id),
  check (kind <> 'ALIAS' or num_nulls(model_id, version_id, alias, use_case_id) = 0),
  check (kind <> 'POLICY' or proposal is not null),
  check (kind <> 'ENDPOINT_RESUME' or endpoint_id is not null),
  check ((state = 'EXECUTED') = (executed_at is not null))
);
create unique index change_request_one_open on change_request (workspace_id, target_key)
  where state in ('OPEN', 'APPROVED');
create index change_request_by_state on change_request (workspace_id, state, id desc);
create index change_request_of_version on change_request (version_id, use_case_id) where version_id is not null;
select govern('change_request');

alter table approval_policy
  add foreign key (workspace_id, change_request_id) references change_request (workspace_id, id);
`;

const decisions = `
create table approval (
  id uuid primary key,
  workspace_id uuid not null references workspace,
  change_request_id uuid not null,
  verdict text not null check (verdict in ('APPROVE', 'REJECT', 'REQUEST_CHANGES')),
  role text not null,
  by uuid not null,
  reason text not null,
  conditions jsonb not null default '[]',
  manifest_sha256 text not null check (manifest_sha256 ~ '^[0-9a-f]{64}$'),
  created_at timestamptz not null,
  voided_at timestamptz,
  void_reason text,
  foreign key (workspace_id, change_request_id) references change_request (workspace_id, id),
  check ((voided_at is null) = (void_reason is null))
);
-- A person decides once, under one role, until the decision is void.
create unique index approval_once on approval (change_request_id, by) where voided_at is null;
create index approval_of_change on approval (change_request_id, id);
create index approval_by_person on approval (by);
select govern('approval');

-- Who decided keeps a name here, also after leaving the workspace.
create policy of_deciders on app_user for select to app_writer, app_reader
  using (exists (select 1 from approval where approval.by = app_user.id and approval.workspace_id = app_workspace()));
`;
