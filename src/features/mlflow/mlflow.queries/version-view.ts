import type { ReadDb } from '../../../kernel/db.js';
import { isReservedTag } from '../../registry/index.js';
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

/** What stands in the row of a version. */
export interface BareVersion {
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
}

/** A version as it is read for the protocol. */
export interface VersionRow extends BareVersion {
  readonly aliases: readonly string[];
  readonly tags: readonly KeyValue[];
  readonly changes: readonly VersionChange[];
}

/** When a version last changed. */
export const updatedAt = 'coalesce(v.updated_at, v.created_at)';

/** Milliseconds since 1970, as JSON numbers. */
export const msOf = (sql: string): string => `floor(extract(epoch from ${sql}) * 1000)::float8`;

/** The columns of {@link BareVersion}, over `model_version v` and `registered_model m`. */
export const versionColumns = `
  v.id, v.model_id as "modelId", m.name, v.version, ${msOf('v.created_at')} as "createdMs", ${msOf(updatedAt)} as "updatedMs",
  v.created_by as "createdBy", v.stage, v.description, v.source, v.state, v.state_message as "stateMessage",
  v.run_id as "runId", v.run_link as "runLink", v.logged_model_id as "loggedModelId",
  (v.intake_job_id is not null or v.intake is not null) as "hasFiles"`;

interface Detail<Value> {
  readonly id: string;
  readonly all: readonly Value[];
}

const aliasText = `
  select version_id as id, json_agg(name order by name) as all from model_alias
   where version_id = any($1) group by version_id`;

// By model first, which is how tags are indexed.
const tagText = `
  select version_id as id, json_agg(json_build_object('key', key, 'value', value) order by key) as all from model_tag
   where model_id = any($2) and version_id = any($1) group by version_id`;

const changeText = `
  select c.version_id as id, json_agg(json_build_object('number', c.number, 'alias', c.alias, 'state', c.state,
                                                        'useCase', u.slug) order by c.number) as all
    from change_request c join use_case u on u.id = c.use_case_id
   where c.version_id = any($1) and c.state in ('OPEN', 'APPROVED', 'EXECUTED') group by c.version_id`;

/** Adds what belongs to versions, read for all of them at once. */
export const withDetails = async (db: ReadDb, rows: readonly BareVersion[]): Promise<VersionRow[]> => {
  if (rows.length === 0) return [];
  const ids = rows.map(({ id }) => id);
  const models = [...new Set(rows.map(({ modelId }) => modelId))];
  const [aliases, tags, changes] = await Promise.all([
    db.sql<Detail<string>>(aliasText, [ids], 'mlflow.aliasesOf'),
    db.sql<Detail<KeyValue>>(tagText, [ids, models], 'mlflow.tagsOf'),
    db.sql<Detail<VersionChange>>(changeText, [ids], 'mlflow.changesOf'),
  ]);
  const of = <Value>(all: readonly Detail<Value>[]) =>
    new Map(all.map(({ id, all: values }) => [id, values]));
  const [aliasesOf, tagsOf, changesOf] = [of(aliases), of(tags), of(changes)];
  return rows.map((row) => ({
    ...row,
    aliases: aliasesOf.get(row.id) ?? [],
    tags: tagsOf.get(row.id) ?? [],
    changes: changesOf.get(row.id) ?? [],
  }));
};

/** Where {@link versionColumns} are read from. */
export const versionsFrom = 'model_version v join registered_model m on m.id = v.model_id';

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

const openOf = ({ changes }: VersionRow): VersionChange[] =>
  changes.filter(({ state }) => state !== 'EXECUTED');

const standingOf = (row: VersionRow): string => {
  const approved = approvalsOf(row).map(
    ({ alias, useCase, number }) => `${alias} for ${useCase} (#${String(number)})`,
  );
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

/** The tags that we say of a version. */
export const spoken = (row: VersionRow): KeyValue[] => {
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
  // A tag of an older installation that reads like one of ours says nothing.
  tags: [...row.tags.filter(({ key }) => !isReservedTag(key)), ...spoken(row)],
  aliases: row.aliases,
  ...(row.loggedModelId === null ? {} : { model_id: loggedModelId(row.loggedModelId) }),
});
