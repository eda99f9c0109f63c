import { timingSafeEqual } from 'node:crypto';
import { isRole, type Actor, type Role, type ServiceActor, type UserActor } from '../../kernel/actor.js';
import type { Clock } from '../../kernel/clock.js';
import type { Db } from '../../kernel/db.js';
import { AppError, invalidInput } from '../../kernel/errors.js';
import { isPermission, type Permission } from '../../kernel/permissions.js';
import { asSystem, lookUpAsSystem } from '../../kernel/system.js';
import { liveSession, type LiveSession, type Membership, type SessionTimes } from './sessions.js';
import { hashOf, hasTokenForm } from './tokens.js';

/** What is needed to find out who asks. */
export interface AuthenticationParts {
  readonly db: Db;
  readonly clock: Clock;
  readonly session: SessionTimes;
}

/** What a request shows. */
export interface ShownCredentials {
  readonly bearer: string | null;
  readonly session: string | null;
  /** Slug or id of the workspace asked for. */
  readonly workspace: string | null;
}

type Reason =
  'none' | 'session-over' | 'malformed' | 'unknown' | 'expired' | 'revoked' | 'disabled' | 'no-member';

const unauthenticated = (reason: Reason, message: string): AppError =>
  new AppError('UNAUTHENTICATED', message, { reason });

/**
 * Makes the way in which requests get their actor. Everything is read from the database at each request, so that a
 * revoked token, an ended session and a changed role count at once.
 */
export const openAuthenticator =
  (parts: AuthenticationParts) =>
  (shown: ShownCredentials): Promise<Actor> => {
    if (shown.bearer !== null) return byToken(parts, shown.bearer, shown.workspace);
    if (shown.session !== null) return bySession(parts, shown.session, shown.workspace);
    return Promise.reject(unauthenticated('none', 'Sign in, or send a token: Authorization: Bearer <token>'));
  };

const bySession = async (
  parts: AuthenticationParts,
  cookie: string,
  asked: string | null,
): Promise<UserActor> => {
  const session = await liveSession(parts.db, cookie, parts.session, parts.clock.now());
  if (!session) throw unauthenticated('session-over', 'Your session is over; sign in again');
  return actorOfSession(session, asked);
};

const given = (roles: readonly string[]): Role[] =>
  [...new Set(roles)].filter(isRole).filter((role) => role !== 'service');

/** The person of a session, in the workspace asked for, the one chosen before, or the only one. */
export const actorOfSession = (session: LiveSession, asked: string | null): UserActor => {
  const { memberships } = session;
  const chosen = asked === null ? usual(session) : named(memberships, asked);
  const organizations = new Set(memberships.map((membership) => membership.organizationId));
  const [onlyOrganization] = organizations.size === 1 ? organizations : [];
  return {
    kind: 'user',
    id: session.userId,
    name: session.name,
    organizationId: chosen?.organizationId ?? onlyOrganization ?? null,
    workspaceId: chosen?.workspaceId ?? null,
    roles: chosen ? given(chosen.roles) : [],
    authenticatedAt: session.authenticatedAt,
    sessionId: session.id,
    tokenId: null,
    scopes: null,
  };
};

const usual = ({ memberships, chosenWorkspace }: LiveSession): Membership | null => {
  const chosen = memberships.find((membership) => membership.workspaceId === chosenWorkspace);
  const [only, ...others] = memberships;
  return chosen ?? (others.length === 0 ? (only ?? null) : null);
};

const named = (memberships: readonly Membership[], asked: string): Membership => {
  const byId = memberships.find((membership) => membership.workspaceId === asked);
  const [first, second] = memberships.filter((membership) => membership.slug === asked);
  const found = byId ?? first;
  if (!found) throw new AppError('NOT_FOUND', `You are in no workspace ${asked}`);
  if (!byId && second) {
    throw invalidInput(`You are in several workspaces named ${asked}; name the one you mean by its id`, [
      { path: 'x-countersign-workspace', message: 'is not unique' },
    ]);
  }
  return found;
};

interface TokenRow {
  readonly id: string;
  readonly workspace_id: string;
  readonly slug: string;
  readonly organization_id: string;
  readonly secret_hash: Buffer;
  readonly scopes: string[] | null;
  readonly expires_at: Date;
  readonly revoked_at: Date | null;
  readonly authenticated_at: Date | null;
  readonly last_used_at: Date | null;
  readonly service_account_id: string | null;
  readonly account_name: string | null;
  readonly account_roles: string[] | null;
  readonly user_id: string | null;
  readonly user_name: string | null;
  readonly member_roles: string[] | null;
  readonly disabled_at: Date | null;
}

const tokenQuery = `
select t.id, t.workspace_id, w.slug, w.organization_id, t.secret_hash, t.scopes, t.expires_at, t.revoked_at,
       t.authenticated_at, l.last_used_at, t.service_account_id, a.name as account_name, a.roles as account_roles,
       t.user_id, u.display_name as user_name, m.roles || m.roles_by_rule as member_roles,
       coalesce(a.disabled_at, u.disabled_at) as disabled_at
  from api_token t
  join workspace w on w.id = t.workspace_id
  left join service_account a on a.id = t.service_account_id
  left join app_user u on u.id = t.user_id
  left join member m on m.user_id = t.user_id and m.workspace_id = t.workspace_id
  left join api_token_use l on l.token_id = t.id
 where t.secret_hash = $1`;

const byToken = async (parts: AuthenticationParts, secret: string, asked: string | null): Promise<Actor> => {
  // A mistyped token is told by its checksum, before anything is asked of the database.
  if (!hasTokenForm(secret))
    throw unauthenticated('malformed', 'The token is not one of ours: its form or checksum is wrong');
  const hash = hashOf(secret);
  const now = parts.clock.now();
  const [row] = await lookUpAsSystem<TokenRow>(parts.db, tokenQuery, [hash], 'identity.token');
  if (!row || !timingSafeEqual(row.secret_hash, hash))
    throw unauthenticated('unknown', 'The token is not known');
  refuseUnusable(row, now);
  await noteUse(parts.db, row, now);
  if (asked !== null && asked !== row.workspace_id && asked !== row.slug)
    throw new AppError('NOT_FOUND', `This token reaches no workspace ${asked}`);
  return row.user_id === null ? serviceActor(row) : personActor(row, row.user_id);
};

const refuseUnusable = (row: TokenRow, now: Date): void => {
  if (row.revoked_at !== null) throw unauthenticated('revoked', 'The token was revoked; ask for another');
  if (row.expires_at <= now)
    throw unauthenticated('expired', `The token expired at ${row.expires_at.toISOString()}; make another`);
  if (row.disabled_at !== null) throw unauthenticated('disabled', 'The holder of this token is disabled');
  if (row.user_id !== null && row.member_roles === null) {
    throw unauthenticated('no-member', 'The holder of this token is no member of its workspace any more');
  }
};

const noteUseEvery = 60_000;

const noteUse = async (db: Db, row: TokenRow, now: Date): Promise<void> => {
  if (row.last_used_at !== null && row.last_used_at.getTime() + noteUseEvery > now.getTime()) return;
  await asSystem(db, (tx) =>
    tx.sql(
      `insert into api_token_use (token_id, last_used_at) values ($1, $2)
       on conflict (token_id) do update set last_used_at = excluded.last_used_at`,
      [row.id, now],
    ),
  );
};

const scopesOf = (row: TokenRow): Permission[] | null => row.scopes?.filter(isPermission) ?? null;

const serviceActor = (row: TokenRow): ServiceActor => ({
  kind: 'service',
  id: row.service_account_id ?? '',
  name: row.account_name ?? '',
  roles: (row.account_roles ?? []).filter(isRole),
  organizationId: row.organization_id,
  workspaceId: row.workspace_id,
  tokenId: row.id,
  scopes: scopesOf(row),
});

const personActor = (row: TokenRow, userId: string): UserActor => ({
  kind: 'user',
  id: userId,
  name: row.user_name ?? '',
  roles: given(row.member_roles ?? []),
  organizationId: row.organization_id,
  workspaceId: row.workspace_id,
  // Never fresher than the sign-in in which the token was made.
  authenticatedAt: row.authenticated_at ?? new Date(0),
  sessionId: null,
  tokenId: row.id,
  scopes: scopesOf(row),
});
