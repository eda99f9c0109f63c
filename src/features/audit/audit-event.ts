import { z } from 'zod';
import { leafHashOf, personalPlace } from '../../kernel/audit.js';
import type { ReadDb } from '../../kernel/db.js';
import { decrypt, type Unsealer } from '../../kernel/sealing.js';

/** How an attempt ended. */
export const auditOutcome = z.enum(['done', 'refused', 'read']).meta({ id: 'AuditOutcome' });

/** One field that changed. */
export interface AuditChange {
  readonly field: string;
  readonly from: unknown;
  readonly to: unknown;
}

/** What an event tells of a person. */
export interface PersonalPart {
  readonly subjectId: string;
  readonly data: unknown;
  /** The person's key is gone, and with it the data; the hash of the event stays what it was. */
  readonly erased: boolean;
}

/** An entry of the trail as shown. */
export interface AuditEventView {
  readonly id: string;
  readonly at: Date;
  readonly command: string;
  readonly commandId: string;
  readonly outcome: string;
  readonly actor: {
    readonly kind: string;
    readonly id: string;
    readonly name: string | null;
    readonly tokenId: string | null;
  };
  readonly subject: { readonly kind: string; readonly id: string };
  readonly changes: readonly AuditChange[];
  readonly facts: Readonly<Record<string, unknown>>;
  readonly personal: PersonalPart | null;
  readonly requestId: string | null;
  readonly door: string | null;
  readonly canonical: string;
  readonly leafHash: string;
  readonly verified: boolean;
}

/** An entry as it is stored, with the name of the actor where it is known here. */
export interface StoredEvent {
  readonly id: string;
  readonly workspace_id: string | null;
  readonly command_id: string;
  readonly command: string;
  readonly outcome: string;
  readonly actor_kind: string;
  readonly actor_id: string;
  readonly actor_name: string | null;
  readonly subject_kind: string;
  readonly subject_id: string;
  readonly at: Date;
  readonly canonical: Buffer;
  readonly leaf_hash: Buffer;
}

/** Columns of `audit_event e` for {@link StoredEvent}; people and machines are named as far as they are of the workspace. */
export const storedColumns = `
  e.id, e.workspace_id, e.command_id, e.command, e.outcome, e.actor_kind, e.actor_id, e.subject_kind, e.subject_id,
  e.at, e.canonical, e.leaf_hash,
  case e.actor_kind
    when 'user' then (select display_name from app_user where id::text = e.actor_id)
    when 'service' then (select name from service_account where id::text = e.actor_id)
    else e.actor_id end as actor_name`;

const bodySchema = z.object({
  v: z.literal(1),
  id: z.string(),
  at: z.string(),
  workspace: z.string().nullable(),
  command: z.string(),
  commandId: z.string(),
  outcome: z.string(),
  actor: z.object({ kind: z.string(), id: z.string(), token: z.string().nullable() }),
  subject: z.object({ kind: z.string(), id: z.string() }),
  changes: z.record(z.string(), z.object({ from: z.unknown().optional(), to: z.unknown().optional() })),
  facts: z.record(z.string(), z.unknown()),
  personal: z.object({ subject: z.string(), sealed: z.string() }).nullable(),
  request: z.object({ id: z.string(), door: z.string() }).nullable(),
});

type Body = z.output<typeof bodySchema>;

const bodyOf = (row: StoredEvent): Body | null => {
  try {
    return bodySchema.parse(JSON.parse(row.canonical.toString('utf8')));
  } catch {
    return null;
  }
};

/** Whether the columns, by which the trail is searched, say what was hashed. */
const columnsAgree = (row: StoredEvent, body: Body): boolean => {
  const stored = [row.id, row.workspace_id, row.command, row.command_id, row.outcome, row.at.toISOString()];
  const hashed = [body.id, body.workspace, body.command, body.commandId, body.outcome, body.at];
  const about = [row.actor_kind, row.actor_id, row.subject_kind, row.subject_id];
  const told = [body.actor.kind, body.actor.id, body.subject.kind, body.subject.id];
  return [...stored, ...about].every((value, index) => value === [...hashed, ...told][index]);
};

/** Computes the leaf hash again from the canonical bytes, and compares the columns with them. */
const isVerified = (row: StoredEvent, body: Body | null): boolean =>
  body !== null && leafHashOf(row.canonical).equals(row.leaf_hash) && columnsAgree(row, body);

const personalOf = (body: Body, keys: ReadonlyMap<string, Buffer>): PersonalPart | null => {
  if (!body.personal) return null;
  const { subject, sealed } = body.personal;
  const key = keys.get(subject);
  if (!key) return { subjectId: subject, data: null, erased: true };
  return { subjectId: subject, data: opened(key, personalPlace(body.id), sealed), erased: false };
};

/** A ciphertext that somebody changed or moved opens no more; `verified` says so, and the rest is still shown. */
const opened = (key: Buffer, place: string, sealed: string): unknown => {
  try {
    return decrypt(key, place, sealed);
  } catch {
    return null;
  }
};

const columnsOf = (row: StoredEvent) => ({
  id: row.id,
  at: row.at,
  command: row.command,
  commandId: row.command_id,
  outcome: row.outcome,
  subject: { kind: row.subject_kind, id: row.subject_id },
  canonical: row.canonical.toString('utf8'),
  leafHash: row.leaf_hash.toString('hex'),
});

const viewOf = (row: StoredEvent, body: Body | null, keys: ReadonlyMap<string, Buffer>): AuditEventView => {
  const actor = { kind: row.actor_kind, id: row.actor_id, name: row.actor_name };
  const columns = { ...columnsOf(row), verified: isVerified(row, body) };
  // Bytes in which nothing can be read: what the columns say is shown, as not verified.
  if (!body) return { ...columns, ...unreadable, actor: { ...actor, tokenId: null } };
  return {
    ...columns,
    actor: { ...actor, tokenId: body.actor.token },
    changes: Object.entries(body.changes).map(([field, { from = null, to = null }]) => ({ field, from, to })),
    facts: body.facts,
    personal: personalOf(body, keys),
    requestId: body.request?.id ?? null,
    door: body.request?.door ?? null,
  };
};

const unreadable = { changes: [], facts: {}, personal: null, requestId: null, door: null };

/** Shows stored entries; the keys of all persons in them are read in one go. */
export const showEvents = async (
  rows: readonly StoredEvent[],
  unsealer: Unsealer,
): Promise<AuditEventView[]> => {
  const read = rows.map((row) => ({ row, body: bodyOf(row) }));
  const persons = read.flatMap(({ body }) => (body?.personal ? [body.personal.subject] : []));
  const keys = persons.length === 0 ? new Map<string, Buffer>() : await unsealer.keysOf(persons);
  return read.map(({ row, body }) => viewOf(row, body, keys));
};

/** One stored entry of the workspace. */
export const storedEvent = async (db: ReadDb, id: string): Promise<StoredEvent | null> => {
  const [row] = await db.sql<StoredEvent>(`select ${storedColumns} from audit_event e where e.id = $1`, [id]);
  return row ?? null;
};
