import { z } from 'zod';
import { isRole, type Role, type UserActor } from '../../../kernel/actor.js';
import { pageInput, pageOf, readCursor, type Page } from '../../../kernel/page.js';
import type { Permission } from '../../../kernel/permissions.js';
import { defineQuery } from '../../../kernel/query.js';

/** All that an account in Slack may do here, whatever else its holder may. */
const scopes: readonly Permission[] = [
  'changeRequest:read',
  'changeRequest:decide',
  'slack:comment',
  'slack:read',
];

interface AccountRow {
  readonly id: string;
  readonly name: string;
  readonly organization_id: string;
  readonly roles: string[];
}

const given = (held: readonly string[]): Role[] =>
  [...new Set(held)].filter(isRole).filter((role) => role !== 'service');

export const personInSlack = defineQuery({
  name: 'slackAccount.person',
  describe: 'The person to whom an account in Slack is linked in a workspace, with the roles they have now.',
  permission: 'slack:deliver',
  scope: 'installation',
  input: z.object({ workspaceId: z.uuid(), teamId: z.string(), slackUserId: z.string() }),
  handle: async ({ db, input: { workspaceId, teamId, slackUserId } }): Promise<UserActor | null> => {
    const [row] = await db.sql<AccountRow>(
      `select u.id, u.display_name as name, w.organization_id, m.roles || m.roles_by_rule as roles
         from slack_link l
         join app_user u on u.id = l.user_id and u.disabled_at is null
         join member m on m.user_id = u.id and m.workspace_id = l.workspace_id
         join workspace w on w.id = l.workspace_id
        where l.workspace_id = $1 and l.team_id = $2 and l.slack_user_id = $3 and l.unlinked_at is null`,
      [workspaceId, teamId, slackUserId],
    );
    if (!row) return null;
    return {
      kind: 'user',
      id: row.id,
      name: row.name,
      organizationId: row.organization_id,
      workspaceId,
      roles: given(row.roles),
      // Slack proves which account it is, never that its holder is sitting there: nobody is fresh through it.
      authenticatedAt: new Date(0),
      sessionId: null,
      tokenId: null,
      scopes,
    };
  },
});

export const organizationOfWorkspace = defineQuery({
  name: 'slackAccount.organization',
  describe: 'The organization of a workspace.',
  permission: 'slack:deliver',
  scope: 'installation',
  input: z.object({ workspaceId: z.uuid() }),
  handle: async ({ db, input }): Promise<string | null> => {
    const [row] = await db.sql<{ organization_id: string }>(
      'select organization_id from workspace where id = $1',
      [input.workspaceId],
    );
    return row?.organization_id ?? null;
  },
});

export const accountsOf = defineQuery({
  name: 'slackLink.accounts',
  describe: 'The linked accounts of these people, or of those who hold a role.',
  permission: 'slack:read',
  input: z.object({ teamId: z.string(), userIds: z.array(z.string()).max(200), role: z.string().nullable() }),
  handle: async ({ db, input }): Promise<string[]> => {
    const rows = await db.sql<{ account: string }>(
      `select l.slack_user_id as account from slack_link l join member m on m.user_id = l.user_id
        where l.unlinked_at is null and l.team_id = $1
          and case when $3::text is null then l.user_id::text = any($2) else $3 = any(m.roles || m.roles_by_rule) end
        order by l.id limit 50`,
      [input.teamId, input.userIds, input.role],
    );
    return rows.map(({ account }) => account);
  },
});

/** A link as shown. */
export interface SlackLinkView {
  readonly id: string;
  readonly userId: string;
  readonly userName: string;
  readonly teamId: string;
  readonly slackUserId: string;
  readonly linkedAt: Date;
}

export const listSlackLinks = defineQuery({
  name: 'slackLink.list',
  describe: 'Which Slack accounts are linked: yours, or all of them when you may manage Slack.',
  permission: 'slack:read',
  input: z.object({ ...pageInput }),
  handle: async ({ db, actor, may, input }): Promise<Page<SlackLinkView>> => {
    const after = readCursor(input.after);
    const rows = await db.sql<SlackLinkView>(
      `select l.id, l.user_id as "userId", u.display_name as "userName", l.team_id as "teamId",
              l.slack_user_id as "slackUserId", l.linked_at as "linkedAt"
         from slack_link l join app_user u on u.id = l.user_id
        where l.unlinked_at is null and ($1 or l.user_id::text = $2) and ($3::uuid is null or l.id > $3::uuid)
        order by l.id limit $4`,
      [may('slack:manage'), actor.id, after?.[0] ?? null, input.first + 1],
    );
    return pageOf(
      rows,
      input,
      (row) => [row.id],
      (row) => row,
    );
  },
});

export const addressOfMine = defineQuery({
  name: 'slackAccount.address',
  describe: 'Your e-mail address, as the identity provider says.',
  permission: 'slack:link',
  scope: 'installation',
  input: z.object({}),
  handle: async ({ db, actor }): Promise<string | null> => {
    const [row] = await db.sql<{ email: string | null }>('select email from app_user where id::text = $1', [
      actor.id,
    ]);
    return row?.email ?? null;
  },
});
