import { hkdfSync } from 'node:crypto';
import type { Db, Tx } from '../../kernel/db.js';
import { notFound } from '../../kernel/errors.js';
import { decrypt, encrypt } from '../../kernel/sealing.js';
import { asSystem } from '../../kernel/system.js';
import { hashOf, newSecret } from './tokens.js';

/** How long sessions last. */
export interface SessionTimes {
  /** Without a request. */
  readonly idleMs: number;
  /** In any case. */
  readonly absoluteMs: number;
}

/** A workspace that a person is a member of. */
export interface Membership {
  readonly workspaceId: string;
  readonly organizationId: string;
  readonly slug: string;
  readonly name: string;
  readonly roles: readonly string[];
}

/** A session that is valid now, with who it belongs to as the database says at this moment. */
export interface LiveSession {
  readonly id: string;
  readonly userId: string;
  readonly name: string;
  readonly authenticatedAt: Date;
  readonly chosenWorkspace: string | null;
  readonly memberships: readonly Membership[];
}

interface SessionRow {
  readonly id: string;
  readonly user_id: string;
  readonly name: string;
  readonly authenticated_at: Date;
  readonly last_seen_at: Date;
  readonly expires_at: Date;
  readonly ended_at: Date | null;
  readonly disabled_at: Date | null;
  readonly chosen_workspace: string | null;
  readonly memberships: Membership[];
}

const sessionQuery = `
select s.id, s.user_id, u.display_name as name, s.authenticated_at, s.last_seen_at, s.expires_at, s.ended_at,
       s.chosen_workspace, u.disabled_at,
       coalesce((select json_agg(json_build_object('workspaceId', w.id, 'organizationId', w.organization_id,
                                                   'slug', w.slug, 'name', w.name,
                                                   'roles', m.roles || m.roles_by_rule) order by w.id)
                   from member m join workspace w on w.id = m.workspace_id where m.user_id = s.user_id),
                '[]') as memberships
  from session s join app_user u on u.id = s.user_id
 where s.token_hash = $1`;

const longestBetweenNotes = 60_000;

/** Being seen is written at most once a minute, and ten times within the idle time. */
const noteEvery = (times: SessionTimes): number => Math.min(longestBetweenNotes, times.idleMs / 10);

const isOver = (row: SessionRow, times: SessionTimes, now: Date): boolean =>
  row.ended_at !== null ||
  row.disabled_at !== null ||
  row.expires_at <= now ||
  row.last_seen_at.getTime() + times.idleMs <= now.getTime();

/** The session of a cookie, or null when there is none, it has ended, or it was left alone for too long. */
export const liveSession = (
  db: Db,
  cookie: string,
  times: SessionTimes,
  now: Date,
): Promise<LiveSession | null> =>
  asSystem(db, async (tx) => {
    const [row] = await tx.sql<SessionRow>(sessionQuery, [hashOf(cookie)]);
    if (!row || isOver(row, times, now)) return null;
    if (row.last_seen_at.getTime() + noteEvery(times) <= now.getTime()) {
      await tx.sql('update session set last_seen_at = $2 where id = $1', [row.id, now]);
    }
    return {
      id: row.id,
      userId: row.user_id,
      name: row.name,
      authenticatedAt: row.authenticated_at,
      chosenWorkspace: row.chosen_workspace,
      memberships: row.memberships,
    };
  });

/** Remembers in which workspace a session works; one that the person is no member of looks like none. */
export const chooseWorkspace = (db: Db, sessionId: string, workspaceId: string): Promise<void> =>
  asSystem(db, async (tx) => {
    const changed = await tx.sql(
      `update session set chosen_workspace = $2 where id = $1
          and exists (select 1 from member where workspace_id = $2 and user_id = session.user_id) returning id`,
      [sessionId, workspaceId],
    );
    if (changed.length === 0) throw notFound('The workspace');
  });

/** A session to be written by the command that signs in. */
export interface NewSession {
  readonly id: string;
  readonly userId: string;
  readonly tokenHash: Buffer;
  readonly idTokenHint: string | null;
  readonly userAgent: string | null;
  readonly authenticatedAt: Date;
  readonly createdAt: Date;
  readonly expiresAt: Date;
}

/** Writes a session, in the transaction of the sign-in. The workspace chosen before is kept by a replacement. */
export const insertSession = async (tx: Tx, session: NewSession, replaces: string | null): Promise<void> => {
  await tx.sql(
    `insert into session (id, user_id, token_hash, chosen_workspace, id_token_hint, user_agent, authenticated_at,
                          created_at, last_seen_at, expires_at)
     values ($1, $2, $3, (select chosen_workspace from session where id = $9 and user_id = $2), $4, $5, $6, $7, $7, $8)`,
    [
      session.id,
      session.userId,
      session.tokenHash,
      session.idTokenHint,
      session.userAgent,
      session.authenticatedAt,
      session.createdAt,
      session.expiresAt,
      replaces,
    ],
  );
};

/** Why a session is over before its time. */
export type EndReason = 'SIGNED_OUT' | 'ENDED' | 'REPLACED' | 'DISABLED';

/** Ends sessions in the transaction of a command; returns the ids of those that were not over already. */
export const endSessions = async (
  tx: Tx,
  which: { readonly id: string } | { readonly userId: string },
  reason: EndReason,
  now: Date,
): Promise<string[]> => {
  const [column, value] = 'id' in which ? ['id', which.id] : ['user_id', which.userId];
  const rows = await tx.sql<{ id: string }>(
    `update session set ended_at = $2, end_reason = $3, id_token_hint = null
      where ${column} = $1 and ended_at is null returning id`,
    [value, now, reason],
  );
  return rows.map((row) => row.id);
};

const keptAfterExpiry = `interval '30 days'`;

/** Forgets sessions that have been over for a month; the trail keeps who signed in when. */
export const forgetOldSessions = async (tx: Tx, now: Date): Promise<void> => {
  await tx.sql(`delete from session where expires_at < $1::timestamptz - ${keptAfterExpiry}`, [now]);
};

/** A new cookie value, its hash, and a seal for the provider's ID token that only this cookie opens. */
export const newCookie = (): { cookie: string; hash: Buffer } => {
  const cookie = newSecret();
  return { cookie, hash: hashOf(cookie) };
};

const hintKey = (cookie: string): Buffer =>
  Buffer.from(hkdfSync('sha256', cookie, '', 'countersign id_token_hint', 32));

const hintPlace = 'session.id_token_hint';

/** Seals the ID token, which holds personal data, with a key that only the cookie gives. */
export const sealHint = (cookie: string, idToken: string): string =>
  encrypt(hintKey(cookie), hintPlace, idToken);

/** The ID token of a session, for the provider's sign-out; null when it is not there. */
export const readHint = async (db: Db, cookie: string): Promise<string | null> => {
  const [row] = await asSystem(db, (tx) =>
    tx.sql<{ id_token_hint: string | null }>('select id_token_hint from session where token_hash = $1', [
      hashOf(cookie),
    ]),
  );
  if (!row?.id_token_hint) return null;
  const opened = decrypt(hintKey(cookie), hintPlace, row.id_token_hint);
  return typeof opened === 'string' ? opened : null;
};
