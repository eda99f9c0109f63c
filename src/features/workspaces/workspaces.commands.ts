import { z } from 'zod';
import { isRole } from '../../kernel/actor.js';
import { defineCommand } from '../../kernel/command.js';
import type { Tx } from '../../kernel/db.js';
import { conflict, invalidInput, notFound } from '../../kernel/errors.js';
import { newId } from '../../kernel/id.js';
import { Member } from './member.entity.js';
import { Organization } from './organization.entity.js';
import { startingPolicyName, Workspace } from './workspace.entity.js';

/** A short name in addresses: lower-case letters, digits and dashes. */
export const slug = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must be lower-case letters, digits and dashes, at most 63');

const name = z.string().trim().min(1).max(200);

const roleList = z.array(z.string().refine(isRole, 'is not a role')).max(20);

export const createOrganization = defineCommand({
  name: 'organization.create',
  describe: 'Creates an organization (a tenant).',
  permission: 'organization:create',
  scope: 'installation',
  input: z.object({ slug, name }),
  target: async (tx, input) => {
    if (await tx.findOne(Organization, { slug: input.slug })) {
      throw conflict(`An organization named ${input.slug} exists already`, { slug: input.slug });
    }
    return { id: newId() };
  },
  handle: async ({ tx, input, target, now }) => {
    await tx.insert(Organization, { id: target.id, slug: input.slug, name: input.name, createdAt: now });
    return {
      result: { id: target.id },
      audit: {
        subject: { kind: 'organization', id: target.id },
        changes: { slug: { from: null, to: input.slug }, name: { from: null, to: input.name } },
      },
    };
  },
});

export const createWorkspace = defineCommand({
  name: 'workspace.create',
  describe: 'Creates a workspace in your organization; you become its administrator.',
  permission: 'workspace:create',
  scope: 'installation',
  input: z.object({
    slug,
    name,
    startingPolicy: startingPolicyName
      .default('default')
      .describe('The rules for approvals it starts with: `default` warns, `enforced` stands in the way.'),
  }),
  target: async (tx, _input, actor) => {
    if (actor.organizationId === null) throw notFound('The organization');
    const organization = await tx.lock(Organization, { id: actor.organizationId });
    if (!organization) throw notFound('The organization');
    return organization;
  },
  handle: async ({ tx, actor, input, target, now }) => {
    if (await tx.findOne(Workspace, { organizationId: target.id, slug: input.slug })) {
      throw conflict(`A workspace named ${input.slug} exists already`, { slug: input.slug });
    }
    const id = newId();
    await tx.insert(Workspace, {
      id,
      organizationId: target.id,
      slug: input.slug,
      name: input.name,
      startingPolicy: input.startingPolicy,
      createdAt: now,
    });
    if (actor.kind === 'user') {
      await tx.insert(Member, {
        id: newId(),
        workspaceId: id,
        userId: actor.id,
        roles: ['administrator'],
        rolesByRule: [],
        createdAt: now,
      });
    }
    return {
      result: { id },
      audit: {
        subject: { kind: 'workspace', id },
        changes: { slug: { from: null, to: input.slug }, name: { from: null, to: input.name } },
        facts: { startingPolicy: input.startingPolicy },
      },
    };
  },
});

/**
 * Refuses to leave a workspace without anybody who administers it. The rows of all administrators are locked: of two
 * who take each other out at the same moment, one has to see that the other is gone.
 */
const keepAnAdministrator = async (tx: Tx, member: Member): Promise<void> => {
  const administrators = await tx.sql<{ id: string; disabled: boolean }>(
    `select m.id, u.disabled_at is not null as disabled from member m join app_user u on u.id = m.user_id
      where m.workspace_id = $1 and 'administrator' = any(m.roles || m.roles_by_rule) order by m.id for update of m`,
    [member.workspaceId],
  );
  if (administrators.some(({ id, disabled }) => id !== member.id && !disabled)) return;
  throw conflict('The workspace would be left without an administrator', { rule: 'last-administrator' });
};

export const setMemberRoles = defineCommand({
  name: 'member.setRoles',
  describe: 'Gives a person of the workspace exactly these roles, beside those that rules give at sign-in.',
  permission: 'member:manage',
  input: z.object({ memberId: z.uuid(), roles: roleList }),
  target: async (tx, input) => {
    const member = await tx.lock(Member, { id: input.memberId });
    if (!member) throw notFound('The member');
    return member;
  },
  handle: async ({ tx, actor, input, target }) => {
    const roles = input.roles;
    if (roles.includes('service')) {
      throw invalidInput('The role service belongs to service accounts', [
        { path: 'roles', message: 'service cannot be given to a person' },
      ]);
    }
    const keeps = [...roles, ...target.rolesByRule].includes('administrator');
    if (target.roles.includes('administrator') && !keeps) await keepAnAdministrator(tx, target);
    if (
      actor.kind === 'user' &&
      actor.id === target.userId &&
      roles.some((role) => !target.roles.includes(role))
    ) {
      throw conflict('Nobody gives roles to themselves; ask another administrator', {
        rule: 'no-self-promotion',
      });
    }
    await tx.update(Member, { id: target.id }, { roles });
    return {
      result: { id: target.id },
      audit: {
        subject: { kind: 'member', id: target.id },
        changes: { roles: { from: target.roles, to: roles } },
        facts: { userId: target.userId },
      },
    };
  },
});

export const removeMember = defineCommand({
  name: 'member.remove',
  describe: 'Takes a person out of the workspace; their sessions lose it at once.',
  permission: 'member:manage',
  input: z.object({ memberId: z.uuid() }),
  target: async (tx, input) => {
    const member = await tx.lock(Member, { id: input.memberId });
    if (!member) throw notFound('The member');
    return member;
  },
  handle: async ({ tx, target }) => {
    const isAdministrator = [...target.roles, ...target.rolesByRule].includes('administrator');
    if (isAdministrator) await keepAnAdministrator(tx, target);
    await tx.remove(Member, { id: target.id });
    return {
      result: { id: target.id },
      audit: {
        subject: { kind: 'member', id: target.id },
        changes: { roles: { from: target.roles, to: null } },
        facts: { userId: target.userId },
      },
    };
  },
});
