import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What was answered about the risk of use cases; and changing a tier as a kind of change request. */
export class Risk1764248400000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(assessments);
    await runner.query(kind);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Restore a backup instead'));
  }
}

const assessments = `
create table risk_assessment (
  id uuid primary key,
  workspace_id uuid not null references workspace,
  use_case_id uuid not null,
  -- Counts up per use case; the highest is the current one.
  number integer not null check (number > 0),
  questionnaire_version integer not null check (questionnaire_version > 0),
  questionnaire_sha256 text not null check (questionnaire_sha256 ~ '^[0-9a-f]{64}$'),
  answers jsonb not null,
  mitigations jsonb not null,
  note text not null,
  inherent_score numeric not null check (inherent_score between 0 and 100),
  inherent_tier text not null check (inherent_tier in ('LOW', 'MEDIUM', 'HIGH')),
  residual_score numeric not null check (residual_score between 0 and inherent_score),
  tier text not null check (tier in ('LOW', 'MEDIUM', 'HIGH')),
  tier_before text not null check (tier_before in ('LOW', 'MEDIUM', 'HIGH')),
  effect text not null check (effect in ('SET', 'KEPT', 'NEEDS_REQUEST')),
  reasons jsonb not null,
  assessed_by text not null,
  created_at timestamptz not null,
  unique (workspace_id, id),
  unique (use_case_id, number),
  foreign key (workspace_id, use_case_id) references use_case (workspace_id, id)
);
select govern('risk_assessment');
revoke update, delete on risk_assessment from app_writer;
`;

// The list of kinds is taken as it stands, whoever added to it before.
const kind = `
do $$
declare known text := (
  select substring(pg_get_constraintdef(oid) from '^CHECK \\((.*)\\)$') from pg_constraint
   where conrelid = 'change_request'::regclass and conname = 'change_request_kind_check');
begin
  if known is null then return; end if;
  alter table change_request drop constraint change_request_kind_check;
  execute format('alter table change_request add constraint change_request_kind_check check (kind = ''RISK_TIER'' or %s)', known);
end $$;
alter table change_request
  add check (kind <> 'RISK_TIER' or (use_case_id is not null and proposal is not null));
`;
