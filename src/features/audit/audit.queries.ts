import { z } from 'zod';
import type { Actor } from '../../kernel/actor.js';
import type { AuditEntry } from '../../kernel/audit.js';
import { notFound } from '../../kernel/errors.js';
import { cursorOf, pageInput, readCursor, type Page } from '../../kernel/page.js';
import { defineQuery } from '../../kernel/query.js';
import {
  auditOutcome,
  showEvents,
  storedColumns,
  storedEvent,
  type AuditEventView,
  type StoredEvent,
} from './audit-event.js';

const period = {
  from: z.date().nullish().describe('Events at this time or later.'),
  to: z.date().nullish().describe('Events before this time.'),
};

/** Where a page begins: events come in the order of their time, and of their ids where that is the same. */
const placeOf = (after: string | null | undefined): readonly [string | null, string | null] => {
  const key = readCursor(after, 'time');
  return key ? [String(key[0]), String(key[1])] : [null, null];
};

const cursorAt = (event: { readonly at: Date; readonly id: string }): string =>
  cursorOf([event.at.toISOString(), event.id]);

/** What a read of the trail leaves in the trail. */
const readOfTrail = (actor: Actor, facts: Readonly<Record<string, unknown>>): AuditEntry => ({
  subject: { kind: 'workspace', id: actor.workspaceId ?? '' },
  facts,
});

export const listAuditEvents = defineQuery({
  name: 'audit.list',
  describe:
    'The trail, newest first: who did what to what, what was refused, and what was read. Itself recorded.',
  permission: 'audit:read',
  input: z.object({
    ...pageInput,
    subjectKind: z.string().max(100).nullish(),
    subjectId: z.string().max(200).nullish(),
    actorId: z.string().max(200).nullish(),
    command: z.string().max(200).nullish().describe('Name of a command or query, such as `alias.set`.'),
    outcome: auditOutcome.nullish(),
    ...period,
  }),
  recordAccess: ({ first: _, after: __, ...filter }, page: Page<AuditEventView>, actor) =>
    readOfTrail(actor, { filter, events: page.nodes.length }),
  handle: async ({ db, input, unsealer }): Promise<Page<AuditEventView>> => {
    const rows = await db.sql<StoredEvent>(
      `select ${storedColumns} from audit_event e
        where ($1::timestamptz is null or (e.at, e.id) < ($1::timestamptz, $2::uuid))
          and ($3::timestamptz is null or e.at >= $3) and ($4::timestamptz is null or e.at < $4)
          and ($5::text is null or e.subject_kind = $5) and ($6::text is null or e.subject_id = $6)
          and ($7::text is null or e.actor_id = $7) and ($8::text is null or e.command = $8)
          and ($9::text is null or e.outcome = $9)
        order by e.at desc, e.id desc limit $10`,
      [
        ...placeOf(input.after),
        input.from ?? null,
        input.to ?? null,
        input.subjectKind ?? null,
        input.subjectId ?? null,
        input.actorId ?? null,
        input.command ?? null,
        input.outcome ?? null,
        input.first + 1,
      ],
    );
    const shown = rows.slice(0, input.first);
    const last = shown.at(-1);
    return {
      nodes: await showEvents(shown, unsealer),
      pageInfo: { hasNextPage: rows.length > input.first, endCursor: last ? cursorAt(last) : null },
    };
  },
});

export const auditEventById = defineQuery({
  name: 'audit.byId',
  describe: 'One entry of the trail, with the bytes that were hashed. Itself recorded.',
  permission: 'audit:read',
  input: z.object({ id: z.uuid() }),
  recordAccess: ({ id }) => ({ subject: { kind: 'auditEvent', id } }),
  handle: async ({ db, input, unsealer }): Promise<AuditEventView> => {
    const row = await storedEvent(db, input.id);
    const [event] = row ? await showEvents([row], unsealer) : [];
    if (!event) throw notFound('The entry of the trail');
    return event;
  },
});

/** One line of an export: what was hashed, as the exact text, and the hash. Personal data stays sealed in it. */
export interface ExportLine {
  readonly id: string;
  readonly at: Date;
  readonly canonical: string;
  readonly leafHash: string;
}

/** A part of an export, and where the next one begins. */
export interface ExportPart {
  readonly lines: readonly ExportLine[];
  readonly to: Date;
  readonly next: string | null;
}

const linesPerPart = 500;

/** Oldest first, and up to the moment of asking at most, so that an export ends although the trail goes on. */
export const exportAudit = defineQuery({
  name: 'audit.export',
  describe: 'A period of the trail, oldest first. The first part of an export is recorded, for all of them.',
  permission: 'audit:read',
  input: z.object({ ...period, after: z.string().nullish() }),
  recordAccess: ({ from, after }, { to }: ExportPart, actor) =>
    after ? null : readOfTrail(actor, { from: from ?? null, to }),
  handle: async ({ db, input, now }): Promise<ExportPart> => {
    const to = input.to && input.to < now ? input.to : now;
    const rows = await db.sql<Pick<StoredEvent, 'id' | 'at' | 'canonical' | 'leaf_hash'>>(
      `select e.id, e.at, e.canonical, e.leaf_hash from audit_event e
        where ($1::timestamptz is null or (e.at, e.id) > ($1::timestamptz, $2::uuid))
          and ($3::timestamptz is null or e.at >= $3) and e.at < $4
        order by e.at, e.id limit $5`,
      [...placeOf(input.after), input.from ?? null, to, linesPerPart],
    );
    const last = rows.at(-1);
    return {
      lines: rows.map(({ id, at, canonical, leaf_hash }) => ({
        id,
        at,
        canonical: canonical.toString('utf8'),
        leafHash: leaf_hash.toString('hex'),
      })),
      to,
      next: last && rows.length === linesPerPart ? cursorAt(last) : null,
    };
  },
});
