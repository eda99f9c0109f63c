import { hexOf, loggedModelId } from '../../tracking/index.js';

/** A key with a value, as clients know it. */
export interface KeyValue {
  readonly key: string;
  readonly value: string;
}

/** A change that has to do with a version. */
interface VersionChange {
  readonly number: number;
  readonly alias: string;
  readonly state: string;
  readonly useCase: string;
}

/** A version as it is read for the protocol. */
export interface VersionRow {
  readonly id: string;
  readonly modelId: string;
  readonly name: string;
  readonly version: number;
  readonly createdMs: number;
  readonly updatedMs: number;
  readonly createdBy: string;
  readonly stage: string;
  readonly description: string;
  readonly source: string;
  readonly state: string;
  readonly stateMessage: string;
  readonly runId: string | null;
  readonly runLink: string;
  readonly loggedModelId: string | null;
  readonly hasFiles: boolean;
  readonly aliases: readonly string[];
  readonly tags: readonly KeyValue[];
  readonly changes: readonly VersionChange[];
}

/** When a version last changed. */
export const updatedAt = 'coalesce(v.updated_at, v.created_at)';

/** Milliseconds since 1970, as JSON numbers. */
export const msOf = (sql: string): string => `floor(extract(epoch from ${sql}) * 1000)::float8`;

/** The columns of {@link VersionRow}, over `model_version v` and `registered_model m`. */
export const versionColumns = `
  v.id, v.model_id as "modelId", m.name, v.version, ${msOf('v.created_at')} as "createdMs", ${msOf(updatedAt)} as "updatedMs",
  v.created_by as "createdBy", v.stage, v.description, v.source, v.state, v.state_message as "stateMessage",
  v.run_id as "runId", v.run_link as "runLink", v.logged_model_id as "loggedModelId",
  (v.intake_job_id is not null or v.intake is not null) as "hasFiles",
  array(select a.name from model_alias a where a.version_id = v.id order by a.name) as aliases,
  (select coalesce(json_agg(json_build_object('key', t.key, 'value', t.value) order by t.key), '[]')
     from model_tag t where t.model_id = v.model_id and t.version_id = v.id) as tags,
  (select coalesce(json_agg(json_build_object('number', c.number, 'alias', c.alias, 'state', c.state, 'useCase', u.slug)
                            order by c.number), '[]')
     from change_request c join use_case u on u.id = c.use_case_id
    where c.version_id = v.id and c.state in ('OPEN', 'APPROVED', 'EXECUTED')) as changes`;

/** Where {@link versionColumns} are read from. */
export const versionsFrom = 'model_version v join registered_model m on m.id = v.model_id';

/** Tags that we say and nobody sets. */
export const spokenTags = ['countersign.intake', 'countersign.approvals', 'countersign.change_requests'] as const;

const statusOf: Readonly<Record<string, string>> = {
  PENDING_INTAKE: 'PENDING_REGISTRATION',
  READY: 'READY',
  REJECTED: 'FAILED_REGISTRATION',
};

const intakeOf: Readonly<Record<string, string>> = {
  PENDING_INTAKE: 'pending',
  READY: 'passed',
  REJECTED: 'refused',
};

const approvalsOf = ({ changes, aliases }: VersionRow): VersionChange[] =>
  changes.filter(({ state, alias }) => state === 'EXECUTED' && aliases.includes(alias));

const openOf = ({ changes }: VersionRow): VersionChange[] => changes.filter(({ state }) => state !== 'EXECUTED');

const standingOf = (row: VersionRow): string => {
  const approved = approvalsOf(row).map(({ alias, useCase, number }) => `${alias} for ${useCase} (#${String(number)})`);
  const open = openOf(row).map(({ alias, number }) => `#${String(number)} (${alias})`);
  return [
    approved.length === 0 ? 'Approved for no use yet.' : `Approved as ${approved.join(', ')}.`,
    ...(open.length === 0 ? [] : [`Open change requests: ${open.join(', ')}.`]),
  ].join(' ');
};

/** What a version says of itself: why it is in its state, and how it stands with those who approve. */
const messageOf = (row: VersionRow): string => {
  const message = row.stateMessage.endsWith('.') ? row.stateMessage : `${row.stateMessage}.`;
  return row.state === 'READY' ? `${message} ${standingOf(row)}` : row.stateMessage;
};

const spoken = (row: VersionRow): KeyValue[] => {
  const approvals = approvalsOf(row).map(({ alias, useCase }) => `${alias}:${useCase}`);
  const open = openOf(row).map(({ number, state }) => `#${String(number)} ${state}`);
  return [
    { key: 'countersign.intake', value: intakeOf[row.state] ?? '' },
    ...(approvals.length === 0 ? [] : [{ key: 'countersign.approvals', value: approvals.join(', ') }]),
    ...(open.length === 0 ? [] : [{ key: 'countersign.change_requests', value: open.join(', ') }]),
  ];
};

/** A version as clients know it. */
export const versionView = (row: VersionRow): Record<string, unknown> => ({
  name: row.name,
  version: String(row.version),
  creation_timestamp: row.createdMs,
  last_updated_timestamp: row.updatedMs,
  user_id: row.createdBy,
  current_stage: row.stage,
  description: row.description,
  source: row.source,
  run_id: row.runId === null ? '' : hexOf(row.runId),
  run_link: row.runLink,
  status: statusOf[row.state],
  status_message: messageOf(row),
  tags: [...row.tags, ...spoken(row)],
  aliases: row.aliases,
  ...(row.loggedModelId === null ? {} : { model_id: loggedModelId(row.loggedModelId) }),
});
