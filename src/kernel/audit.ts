import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { Actor } from './actor.js';
import type { Tx } from './db.js';
import type { Sealer } from './sealing.js';
import { newId } from './id.js';
import { runAtCommit, type Statement } from './statement.js';
import { currentTrace } from './trace.js';

/** What something was done to. */
export interface Subject {
  /** The noun, as in the word list: `modelVersion`, `changeRequest`. */
  readonly kind: string;
  readonly id: string;
}

/** What a handler tells the trail: one entry per subject it changed. */
export interface AuditEntry {
  readonly subject: Subject;
  /** Field → from and to; never personal data. */
  readonly changes?: Readonly<Record<string, { from: unknown; to: unknown }>>;
  /** Facts that are not a change of a field: reasons, rules, digests; never personal data. */
  readonly facts?: Readonly<Record<string, unknown>>;
  /** Data about a person: encrypted with that person's own key before anything is hashed. */
  readonly personal?: { readonly subjectId: string; readonly data: Readonly<Record<string, unknown>> };
}

/** One entry or more, never none. */
export type AuditEntries = AuditEntry | readonly [AuditEntry, ...AuditEntry[]];

/** How it ended. `read` is for reads that must leave a trace. */
export type AuditOutcome = 'done' | 'refused' | 'read';

interface Deed {
  readonly command: string;
  readonly commandId: string;
  readonly actor: Actor;
  readonly outcome: AuditOutcome;
  readonly at: Date;
}

/** A row of `audit_event`, ready to be written. */
export interface AuditRow {
  readonly id: string;
  readonly workspaceId: string | null;
  readonly organizationId: string | null;
  readonly commandId: string;
  readonly command: string;
  readonly outcome: AuditOutcome;
  readonly actorKind: string;
  readonly actorId: string;
  readonly subjectKind: string;
  readonly subjectId: string;
  readonly at: Date;
  readonly canonical: Buffer;
  readonly leafHash: Buffer;
}

/** The entries that a handler returned, one or many. */
export const listOf = (entries: AuditEntry | readonly AuditEntry[]): readonly AuditEntry[] =>
  Array.isArray(entries) ? (entries as readonly AuditEntry[]) : [entries as AuditEntry];

/** Turns entries into rows: RFC 8785 canonical bytes and the RFC 9162 leaf hash over them. */
export const auditRows = async (
  deed: Deed,
  entries: AuditEntry | readonly AuditEntry[],
  sealer: Sealer,
): Promise<AuditRow[]> => {
  const rows: AuditRow[] = [];
  // One after the other: a connection runs one statement at a time.
  for (const entry of listOf(entries)) rows.push(await auditRow(deed, entry, sealer));
  return rows;
};

const auditRow = async (deed: Deed, entry: AuditEntry, sealer: Sealer): Promise<AuditRow> => {
  const id = newId();
  const { actor } = deed;
  const trace = currentTrace();
  const body = {
    v: 1,
    id,
    at: deed.at.toISOString(),
    organization: actor.organizationId,
    workspace: actor.workspaceId,
    command: deed.command,
    commandId: deed.commandId,
    outcome: deed.outcome,
    actor: { kind: actor.kind, id: actor.id, token: actor.kind === 'system' ? null : actor.tokenId },
    subject: entry.subject,
    changes: entry.changes ?? {},
    facts: entry.facts ?? {},
    personal: entry.personal
      ? {
          subject: entry.personal.subjectId,
          sealed: await sealer.seal(entry.personal.subjectId, personalPlace(id), entry.personal.data),
        }
      : null,
    request: trace ? { id: trace.requestId, door: trace.door } : null,
  };
  const canonical = Buffer.from(canonicalBytes(body));
  return {
    id,
    workspaceId: actor.workspaceId,
    organizationId: actor.organizationId,
    commandId: deed.commandId,
    command: deed.command,
    outcome: deed.outcome,
    actorKind: actor.kind,
    actorId: actor.id,
    subjectKind: entry.subject.kind,
    subjectId: entry.subject.id,
    at: deed.at,
    canonical,
    leafHash: leafHashOf(canonical),
  };
};

/** The RFC 9162 leaf hash of canonical bytes: sha256 over 0x00 and the bytes. */
export const leafHashOf = (canonical: Buffer): Buffer =>
  createHash('sha256').update(Buffer.of(0)).update(canonical).digest();

/** Where the personal data of an entry is sealed: the ciphertext opens nowhere else. */
export const personalPlace = (eventId: string): string => `audit_event.personal/${eventId}`;

/** RFC 8785 canonical JSON of a value, as text. Values that JSON does not know (dates) are written by their toJSON. */
export const canonicalBytes = (value: unknown): string => {
  const text = canonicalize(JSON.parse(JSON.stringify(value)));
  if (text === undefined) throw new Error('The value has no canonical JSON form');
  return text;
};

const columns =
  'id, workspace_id, organization_id, command_id, command, outcome, actor_kind, actor_id, subject_kind, subject_id, at, canonical, leaf_hash';
const width = columns.split(',').length;
/** PostgreSQL takes 65,535 parameters. */
const rowsPerStatement = 1000;

const valuesOf = (row: AuditRow): unknown[] => [
  row.id,
  row.workspaceId,
  row.organizationId,
  row.commandId,
  row.command,
  row.outcome,
  row.actorKind,
  row.actorId,
  row.subjectKind,
  row.subjectId,
  row.at,
  row.canonical,
  row.leafHash,
];

const insertOf = (rows: number): string => {
  const tuples = Array.from({ length: rows }, (_, row) => {
    const places = Array.from({ length: width }, (__, column) => `$${String(row * width + column + 1)}`);
    return `(${places.join(',')})`;
  });
  return `insert into audit_event (${columns}) values ${tuples.join(',')}`;
};

/** Nearly every command changes one subject. */
const insertOne = { text: insertOf(1), name: 'countersign.audit' };

/** The statements that add rows to the trail, to be run in the transaction of the change. */
export const auditStatements = (rows: readonly AuditRow[]): Statement[] => {
  const [only] = rows;
  if (only && rows.length === 1) return [{ ...insertOne, values: valuesOf(only) }];
  const chunks = Array.from({ length: Math.ceil(rows.length / rowsPerStatement) }, (_, index) =>
    rows.slice(index * rowsPerStatement, (index + 1) * rowsPerStatement),
  );
  return chunks.map((chunk) => ({ text: insertOf(chunk.length), values: chunk.flatMap(valuesOf) }));
};

/** Writes rows of the trail in the transaction of the change. */
export const appendAudit = (tx: Tx, rows: readonly AuditRow[]): void => {
  runAtCommit(tx, auditStatements(rows));
};
