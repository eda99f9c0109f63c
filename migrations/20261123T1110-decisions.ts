import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Decisions with their traces (telemetry: added by the million, never rewritten but for the decision's own progress),
 * reviews by people and outcomes (governed). What tells something of a person is sealed with that person's key; the
 * rest of a row stays readable when the key is erased, and so do the hashes, which are over the sealed bytes.
 */
export class Decisions1763896200000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(decisions);
    await runner.query(steps);
    await runner.query(people);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Restore a backup instead'));
  }
}

const decisions = `
create table decision (
  id uuid primary key,
  workspace_id uuid not null references workspace,
  endpoint_id uuid not null,
  use_case_id uuid not null,
  source text not null check (source in ('HERE', 'ELSEWHERE')),
  idempotency_key text not null,
  -- Keyed with the person's key, so that it can be compared while the key exists and says nothing afterwards.
  request_digest text not null,
  subject_ref text not null,
  sealed_request text not null,
  state text not null check (state in ('ACCEPTED', 'RUNNING', 'WAITING', 'DONE', 'FAILED', 'REFUSED')),
  failure jsonb,
  job_id uuid,
  version_id uuid,
  version_digest text,
  pipeline_version text not null,
  policy_digest text,
  action text,
  decided_by text,
  probability double precision,
  -- Rules and codes only; reasons with what they say of the person are sealed in the trace.
  reasons jsonb not null default '[]',
  requested_by text not null,
  requested_at timestamptz not null,
  finished_at timestamptz,
  run_hash text check (run_hash ~ '^[0-9a-f]{64}$'),
  unique (workspace_id, id),
  unique (endpoint_id, idempotency_key),
  foreign key (workspace_id, endpoint_id) references endpoint (workspace_id, id),
  check (state <> 'DONE' or (action is not null and finished_at is not null and run_hash is not null)),
  check ((failure is not null) = (state in ('FAILED', 'REFUSED')))
);
create index decision_by_time on decision (workspace_id, id desc);
create index decision_by_endpoint on decision (endpoint_id, id desc);
create index decision_of_subject on decision (workspace_id, subject_ref);
create index decision_of_version on decision (version_id, id desc) where version_id is not null;
create index decision_of_job on decision (job_id) where state in ('ACCEPTED', 'RUNNING');
select telemetry('decision');
grant update (state, failure, version_id, version_digest, policy_digest, action, decided_by, probability, reasons,
              finished_at, run_hash) on decision to app_writer;

-- What is finished stays as it is, whoever asks; only a decision that waits for a person goes on.
create function refuse_changed_end() returns trigger language plpgsql as $$
begin
  raise exception 'a finished decision is not changed' using errcode = 'insufficient_privilege';
end $$;
create trigger finished_for_good before update or delete on decision
  for each row when (old.state in ('DONE', 'REFUSED', 'FAILED')) execute function refuse_changed_end();
alter table decision enable always trigger finished_for_good;
`;

const steps = `
create table agent_step (
  workspace_id uuid not null,
  decision_id uuid not null,
  seq integer not null check (seq between 1 and 6),
  iteration integer not null check (iteration >= 0),
  attempt integer not null check (attempt > 0),
  status text not null check (status in ('started', 'done', 'failed')),
  agent text not null,
  agent_version text not null,
  worker_id text not null,
  started_at timestamptz not null,
  ended_at timestamptz,
  facts jsonb not null default '{}',
  sealed_output text,
  input_sha256 text,
  output_sha256 text,
  prev_hash text,
  hash text,
  primary key (decision_id, seq, iteration, attempt, status, worker_id),
  check ((status = 'started') = (ended_at is null)),
  check (status <> 'done' or num_nulls(sealed_output, input_sha256, output_sha256, prev_hash, hash) = 0)
);
-- The fence: whoever comes second with the end of a step has lost, however late it wakes up.
create unique index agent_step_ends_once on agent_step (decision_id, seq, iteration) where status <> 'started';
create unique index agent_step_one_end on agent_step (decision_id) where status = 'failed' and hash is not null;
select telemetry('agent_step');
select append_only('agent_step');

create table decision_seal (
  workspace_id uuid not null,
  -- The command of the entry in the trail that holds the Merkle root of the batch.
  command_id uuid not null,
  position integer not null check (position >= 0),
  decision_id uuid not null,
  run_hash text not null check (run_hash ~ '^[0-9a-f]{64}$'),
  primary key (command_id, position)
);
create index decision_seal_of_decision on decision_seal (decision_id, command_id);
select telemetry('decision_seal');
select append_only('decision_seal');
`;

const people = `
create table human_review (
  id uuid primary key,
  workspace_id uuid not null references workspace,
  decision_id uuid not null unique,
  endpoint_id uuid not null,
  state text not null check (state in ('OPEN', 'DECIDED')),
  why jsonb not null,
  due_at timestamptz not null,
  created_at timestamptz not null,
  action text,
  sealed_reason text,
  decided_by uuid,
  decided_at timestamptz,
  unique (workspace_id, id),
  foreign key (workspace_id, decision_id) references decision (workspace_id, id),
  foreign key (workspace_id, endpoint_id) references endpoint (workspace_id, id),
  check ((state = 'DECIDED') = (num_nulls(action, sealed_reason, decided_by, decided_at) = 0))
);
create index human_review_by_state on human_review (workspace_id, state, id);
select govern('human_review');

create table outcome (
  id uuid primary key,
  workspace_id uuid not null references workspace,
  decision_id uuid not null,
  positive boolean not null,
  observed_at timestamptz not null,
  source text not null,
  recorded_by text not null,
  recorded_at timestamptz not null,
  foreign key (workspace_id, decision_id) references decision (workspace_id, id)
);
create index outcome_of_decision on outcome (decision_id, id desc);
select govern('outcome');
`;
