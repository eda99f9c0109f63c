import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What leaves the house signed, what was taken back of it, and what runtimes elsewhere say that they run. */
export class Attestations1764249600000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(attestations);
    await runner.query(revocations);
    await runner.query(runtimes);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Restore a backup instead'));
  }
}

const attestations = `
create table attestation (
  id uuid primary key,
  workspace_id uuid not null references workspace,
  number integer not null check (number > 0),
  change_request_id uuid not null,
  model_id uuid not null,
  version_id uuid not null,
  use_case_id uuid not null,
  alias text not null,
  folded_alias text not null,
  environment text not null,
  tree_sha256 text not null check (tree_sha256 ~ '^[0-9a-f]{64}$'),
  manifest_sha256 text not null check (manifest_sha256 ~ '^[0-9a-f]{64}$'),
  key_id text not null check (key_id ~ '^[0-9a-f]{64}$'),
  envelope text not null,
  not_before timestamptz not null,
  not_after timestamptz not null,
  created_at timestamptz not null,
  unique (workspace_id, number),
  unique (workspace_id, id),
  foreign key (workspace_id, change_request_id) references change_request (workspace_id, id),
  foreign key (workspace_id, version_id, model_id) references model_version (workspace_id, id, model_id),
  foreign key (workspace_id, use_case_id) references use_case (workspace_id, id)
);
create index attestation_of_model on attestation (model_id, folded_alias, number desc);
create index attestation_of_version on attestation (version_id);
create index attestation_of_tree on attestation (workspace_id, tree_sha256, number desc);
select govern('attestation');
-- What was signed stays as it was signed.
revoke update, delete on attestation from app_writer;
`;

const revocations = `
create table attestation_revocation (
  id uuid primary key,
  workspace_id uuid not null references workspace,
  attestation_id uuid not null,
  reason text not null check (reason in ('SUPERSEDED', 'VERSION_DELETED', 'ENDPOINT_SUSPENDED', 'REVOKED')),
  detail text not null,
  valid_until timestamptz not null,
  revoked_by text not null,
  revoked_at timestamptz not null,
  lifted_by text,
  lifted_at timestamptz,
  foreign key (workspace_id, attestation_id) references attestation (workspace_id, id),
  check ((lifted_at is null) = (lifted_by is null)),
  -- Only a suspension ends; everything else is for good.
  check (lifted_at is null or reason = 'ENDPOINT_SUSPENDED')
);
create unique index attestation_revocation_open on attestation_revocation (attestation_id, reason) where lifted_at is null;
create index attestation_revocation_listed on attestation_revocation (valid_until) where lifted_at is null;
select govern('attestation_revocation');
revoke delete on attestation_revocation from app_writer;
-- The public list is one for the installation: it names attestations by their ids and says nothing else.
create policy of_system on attestation_revocation for select to app_system using (true);
grant select on attestation_revocation to app_system;
`;

const runtimes = `
-- One process somewhere that said what it runs, as it was last judged.
create table runtime (
  id uuid primary key,
  workspace_id uuid not null references workspace,
  environment text not null,
  model_id uuid not null,
  alias text not null,
  folded_alias text not null,
  use_case_id uuid,
  endpoint_id uuid,
  instance text not null,
  state text not null check (state in ('IN_SYNC', 'UNKNOWN_DIGEST', 'REVOKED', 'EXPIRED', 'SILENT', 'STOPPED')),
  since timestamptz not null,
  -- What the newest finding about it is; there is another one only when that is resolved.
  finding_id uuid,
  created_at timestamptz not null,
  foreign key (workspace_id, model_id) references registered_model (workspace_id, id),
  foreign key (workspace_id, use_case_id) references use_case (workspace_id, id),
  foreign key (workspace_id, endpoint_id) references endpoint (workspace_id, id)
);
create index runtime_by_workspace on runtime (workspace_id, id desc);
create index runtime_of_model on runtime (model_id, folded_alias);
select govern('runtime');
-- The clock looks where there are any and changes nothing.
create policy of_system on runtime for select to app_system using (true);
grant select on runtime to app_system;

-- What runtimes said: the newest few of each are kept, so these rows alone may be taken away again.
create table deployment_report (
  id uuid primary key,
  workspace_id uuid not null references workspace,
  runtime_id uuid not null,
  environment text not null,
  model_id uuid not null,
  alias text not null,
  folded_alias text not null,
  use_case_id uuid,
  endpoint_id uuid,
  instance text not null,
  digests text[] not null,
  stopped boolean not null,
  reported_at timestamptz not null,
  received_at timestamptz not null,
  reported_by text not null
);
create index deployment_report_of_runtime on deployment_report (runtime_id, reported_at desc, id desc);
select telemetry('deployment_report');
grant delete on deployment_report to app_writer;
`;
