import { z } from 'zod';
import { isRole, type Role } from '../../kernel/actor.js';
import { notFound } from '../../kernel/errors.js';
import { pageInput, pageOf, readCursor, type Page } from '../../kernel/page.js';
import type { Permission } from '../../kernel/permissions.js';
import { permissions } from '../../kernel/permissions.js';
import { defineQuery } from '../../kernel/query.js';

/** Who asks, and what they may do here. */
export interface Viewer {
  readonly kind: 'user' | 'service' | 'system';
  readonly id: string;
  readonly name: string;
  readonly roles: readonly string[];
  readonly workspaceId: string | null;
  readonly permissions: readonly Permission[];
}

export const viewer = defineQuery({
  name: 'self.read',
  describe: 'Who you are, and what you may do in the chosen workspace.',
  permission: 'self:read',
  scope: 'installation',
  input: z.object({}),
  handle: ({ actor, may }): Promise<Viewer> =>
    Promise.resolve({
      kind: actor.kind,
      id: actor.id,
      name: actor.name,
      roles: actor.kind === 'system' ? ['system'] : actor.roles,
      workspaceId: actor.workspaceId,
      permissions: permissions.filter(may),
    }),
});

/** A workspace as shown. */
export interface WorkspaceView {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly organization: string;
  readonly roles: readonly Role[];
}

interface WorkspaceRow {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly organization: string;
  readonly roles: string[] | null;
}

const workspaceColumns = `w.id, w.slug, w.name, o.name as organization`;

export const currentWorkspace = defineQuery({
  name: 'workspace.read',
  describe: 'The chosen workspace.',
  permission: 'workspace:read',
  input: z.object({}),
  handle: async ({ db, actor }): Promise<WorkspaceView> => {
    const [row] = await db.sql<WorkspaceRow>(
      `select ${workspaceColumns} from workspace w join organization o on o.id = w.organization_id where w.id = $1`,
      [actor.workspaceId],
    );
    if (!row) throw notFound('The workspace');
    return { ...row, roles: actor.kind === 'system' ? [] : actor.roles };
  },
});

export const listMyWorkspaces = defineQuery({
  name: 'self.workspaces',
  describe: 'The workspaces you are a member of.',
  permission: 'self:read',
  scope: 'installation',
  input: z.object({ ...pageInput }),
  handle: async ({ db, actor, input }): Promise<Page<WorkspaceView>> => {
    const after = readCursor(input.after);
    const rows = await db.sql<WorkspaceRow>(
      `select ${workspaceColumns}, m.roles || m.roles_by_rule as roles
         from member m join workspace w on w.id = m.workspace_id join organization o on o.id = w.organization_id
        where m.user_id::text = $1 and ($2::uuid is null or w.id > $2::uuid)
        order by w.id limit $3`,
      [actor.id, after?.[0] ?? null, input.first + 1],
    );
    return pageOf(
      rows,
      input,
      (row) => [row.id],
      (row) => ({ ...row, roles: (row.roles ?? []).filter(isRole) }),
    );
  },
});

/** A member as shown to colleagues. */
export interface MemberView {
  readonly id: string;
  readonly userId: string;
  readonly handle: string;
  readonly name: string;
  readonly roles: readonly string[];
  readonly createdAt: Date;
}

export const listMembers = defineQuery({
  name: 'member.list',
  describe: 'The people of the workspace and their roles.',
  permission: 'member:read',
  input: z.object({ ...pageInput }),
  handle: async ({ db, input }): Promise<Page<MemberView>> => {
    const after = readCursor(input.after);
    const rows = await db.sql<MemberView>(
      `select m.id, m.user_id as "userId", m.handle, u.display_name as name, m.created_at as "createdAt",
              array(select distinct unnest(m.roles || m.roles_by_rule) order by 1) as roles
         from member m join app_user u on u.id = m.user_id
        where $1::uuid is null or m.id > $1::uuid
        order by m.id limit $2`,
      [after?.[0] ?? null, input.first + 1],
    );
    return pageOf(
      rows,
      input,
      (row) => [row.id],
      (row) => row,
    );
  },
});
