import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What policies of the second version need: where a workspace starts, delegations, break-glass, divergence. */
export class PolicyModes1764246000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
-- Workspaces of before keep the rules that they had; a new one starts with those that warn.
alter table workspace add column starting_policy text not null default 'enforced';
alter table workspace alter column starting_policy set default 'default';
create policy of_itself on workspace for select to app_writer, app_reader using (id = app_workspace());

create table delegation (
  id uuid primary key,
  workspace_id uuid not null references workspace,
  from_user_id uuid not null references app_user,
  to_user_id uuid not null references app_user,
  role text not null,
  reason text not null,
  created_at timestamptz not null,
  ends_at timestamptz not null,
  revoked_at timestamptz,
  revoked_by text,
  revoke_reason text,
  unique (workspace_id, id),
  check (from_user_id <> to_user_id),
  check (ends_at > created_at),
  check (num_nulls(revoked_at, revoked_by, revoke_reason) in (0, 3))
);
create index delegation_by_time on delegation (workspace_id, id desc);
create index delegation_to on delegation (to_user_id, ends_at) where revoked_at is null;
select govern('delegation');

alter table approval add column delegation_id uuid;
alter table approval add foreign key (workspace_id, delegation_id) references delegation (workspace_id, id);

alter table change_request
  -- Set when one person carried it out without the approvals, in an emergency.
  add column break_glass_reason text,
  -- What is no longer as it was when it was carried out.
  add column diverged_at timestamptz,
  add column divergence jsonb,
  add check ((diverged_at is null) = (divergence is null)),
  add check (break_glass_reason is null or state = 'EXECUTED');
-- As a bare 'exists' the planner reads all decisions of the workspace to show one list of people. A function is asked
-- for each person instead; statistics make a few people who decide everything look like a reason to read the table, so
-- it is told to use the index. PostgreSQL asks policies in the reverse order of their names: colleagues come first, and
-- who is one is not looked for among the deciders.
create function decided_here(person uuid) returns boolean language plpgsql stable set enable_seqscan = off as $$
begin
  return exists (select 1 from approval where approval.by = person and approval.workspace_id = app_workspace());
end $$;
drop policy of_deciders on app_user;
create policy by_deed on app_user for select to app_writer, app_reader using (decided_here(id));

-- Who registered the same bytes has a hand in them; looked for at every decision.
create index model_version_by_digest on model_version (digest) where digest is not null;
-- The history that a proposed policy is replayed over.
create index change_request_history on change_request (workspace_id, kind, id);
`);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Restore a backup instead'));
  }
}
