import { z } from 'zod';
import { pageInput, pageOf, readCursor, type Page, type PageRequest } from '../../kernel/page.js';
import type { ReadDb } from '../../kernel/db.js';
import { defineQuery } from '../../kernel/query.js';

/** A session of one's own. */
export interface SessionView {
  readonly id: string;
  readonly current: boolean;
  readonly userAgent: string | null;
  readonly authenticatedAt: Date;
  readonly createdAt: Date;
  readonly lastSeenAt: Date;
  readonly expiresAt: Date;
}

const afterId = (input: PageRequest): string | number | null => readCursor(input.after)?.[0] ?? null;

export const listMySessions = defineQuery({
  name: 'session.listMine',
  describe: 'Where you are signed in.',
  permission: 'self:read',
  scope: 'installation',
  input: z.object({ ...pageInput }),
  handle: async ({ db, actor, input, now }): Promise<Page<SessionView>> => {
    const current = actor.kind === 'user' ? actor.sessionId : null;
    const rows = await db.sql<Omit<SessionView, 'current'>>(
      `select id, user_agent as "userAgent", authenticated_at as "authenticatedAt", created_at as "createdAt",
              last_seen_at as "lastSeenAt", expires_at as "expiresAt"
         from session
        where user_id::text = $1 and ended_at is null and expires_at > $2 and ($3::uuid is null or id > $3::uuid)
        order by id limit $4`,
      [actor.id, now, afterId(input), input.first + 1],
    );
    return pageOf(
      rows,
      input,
      (row) => [row.id],
      (row) => ({ ...row, current: row.id === current }),
    );
  },
});

/** A rule as shown. */
export interface RoleRuleView {
  readonly id: string;
  readonly group: string;
  readonly role: string;
  readonly createdAt: Date;
}

export const listRoleRules = defineQuery({
  name: 'roleRule.list',
  describe: 'Which groups of the identity provider have which roles here.',
  permission: 'member:read',
  input: z.object({ ...pageInput }),
  handle: async ({ db, input }): Promise<Page<RoleRuleView>> => {
    const rows = await db.sql<RoleRuleView>(
      `select id, group_name as "group", role, created_at as "createdAt" from role_rule
        where $1::uuid is null or id > $1::uuid order by id limit $2`,
      [afterId(input), input.first + 1],
    );
    return pageOf(
      rows,
      input,
      (row) => [row.id],
      (row) => row,
    );
  },
});

/** A service account as shown. */
export interface ServiceAccountView {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly roles: readonly string[];
  readonly createdAt: Date;
  readonly disabledAt: Date | null;
}

export const listServiceAccounts = defineQuery({
  name: 'serviceAccount.list',
  describe: 'The machines of the workspace.',
  permission: 'serviceAccount:read',
  input: z.object({ ...pageInput }),
  handle: async ({ db, input }): Promise<Page<ServiceAccountView>> => {
    const rows = await db.sql<ServiceAccountView>(
      `select id, name, description, roles, created_at as "createdAt", disabled_at as "disabledAt"
         from service_account where $1::uuid is null or id > $1::uuid order by id limit $2`,
      [afterId(input), input.first + 1],
    );
    return pageOf(
      rows,
      input,
      (row) => [row.id],
      (row) => row,
    );
  },
});

/** A token as shown: everything but its secret, which nobody has. */
export interface ApiTokenView {
  readonly id: string;
  readonly name: string;
  readonly prefix: string;
  readonly serviceAccountId: string | null;
  readonly userId: string | null;
  readonly scopes: readonly string[] | null;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly revokedAt: Date | null;
  readonly lastUsedAt: Date | null;
}

interface TokenFilter {
  readonly serviceAccountId: string | null;
  readonly userId: string | null;
}

const tokensWhere = async (
  db: ReadDb,
  input: PageRequest,
  filter: TokenFilter,
): Promise<Page<ApiTokenView>> => {
  const rows = await db.sql<ApiTokenView>(
    `select t.id, t.name, t.prefix, t.service_account_id as "serviceAccountId", t.user_id as "userId", t.scopes,
            t.created_at as "createdAt", t.expires_at as "expiresAt", t.revoked_at as "revokedAt",
            l.last_used_at as "lastUsedAt"
       from api_token t left join api_token_use l on l.token_id = t.id
      where ($1::uuid is null or t.service_account_id = $1::uuid) and ($2::text is null or t.user_id::text = $2)
        and ($3::uuid is null or t.id > $3::uuid)
      order by t.id limit $4`,
    [filter.serviceAccountId, filter.userId, afterId(input), input.first + 1],
  );
  return pageOf(
    rows,
    input,
    (row) => [row.id],
    (row) => row,
  );
};

export const listApiTokens = defineQuery({
  name: 'apiToken.list',
  describe: 'The tokens of the workspace, of machines and of people; never their secrets.',
  permission: 'serviceAccount:manage',
  input: z.object({ serviceAccountId: z.uuid().nullish(), ...pageInput }),
  handle: ({ db, input }): Promise<Page<ApiTokenView>> =>
    tokensWhere(db, input, { serviceAccountId: input.serviceAccountId ?? null, userId: null }),
});

export const listMyTokens = defineQuery({
  name: 'apiToken.listMine',
  describe: 'Your own tokens in this workspace.',
  permission: 'self:read',
  input: z.object({ ...pageInput }),
  handle: ({ db, actor, input }): Promise<Page<ApiTokenView>> =>
    tokensWhere(db, input, { serviceAccountId: null, userId: actor.id }),
});
