import { z } from 'zod';
import { isRole, type Role } from '../../../kernel/actor.js';
import { defineCommand, nothingChanged } from '../../../kernel/command.js';
import type { Tx } from '../../../kernel/db.js';
import { conflict, notFound } from '../../../kernel/errors.js';
import { newId } from '../../../kernel/id.js';
import { Member } from '../../workspaces/index.js';
import { RoleRule } from '../role-rule.entity.js';

const ruleRole = z
  .string()
  .refine(isRole, 'is not a role')
  .refine((role) => role !== 'service', 'service belongs to service accounts');

export const createRoleRule = defineCommand({
  name: 'roleRule.create',
  describe: 'Gives a role to everybody in a group of the identity provider, from their next sign-in on.',
  permission: 'roleRule:manage',
  input: z.object({ group: z.string().trim().min(1).max(255), role: ruleRole }),
  target: async (_tx, _input, actor) =>
    Promise.resolve({ id: newId(), workspaceId: actor.workspaceId ?? '' }),
  handle: async ({ tx, actor, input, target, now }) => {
    const { group } = input;
    const role = input.role as Role;
    if (await tx.findOne(RoleRule, { groupName: group, role })) {
      throw conflict(`The group ${group} has the role ${role} already`, { group, role });
    }
    await tx.insert(RoleRule, { ...target, groupName: group, role, createdBy: actor.id, createdAt: now });
    return {
      result: { id: target.id },
      audit: {
        subject: { kind: 'roleRule', id: target.id },
        changes: { group: { from: null, to: group }, role: { from: null, to: role } },
      },
    };
  },
});

export const deleteRoleRule = defineCommand({
  name: 'roleRule.delete',
  describe: 'Takes a rule away; people lose what it gave at their next sign-in.',
  permission: 'roleRule:manage',
  input: z.object({ ruleId: z.uuid() }),
  target: async (tx, input) => {
    const rule = await tx.lock(RoleRule, { id: input.ruleId });
    if (!rule) throw notFound('The role rule');
    return rule;
  },
  handle: async ({ tx, target }) => {
    await tx.remove(RoleRule, { id: target.id });
    return {
      result: { id: target.id },
      audit: {
        subject: { kind: 'roleRule', id: target.id },
        changes: { group: { from: target.groupName, to: null }, role: { from: target.role, to: null } },
      },
    };
  },
});

/** Nobody gives roles to themselves, also not by a rule for a group they are in. */
const rolesFor = async (tx: Tx, userId: string, groups: readonly string[]): Promise<Role[]> => {
  const rows = await tx.sql<{ role: string }>(
    'select distinct role from role_rule where group_name = any($1) and created_by <> $2 order by role',
    [groups, userId],
  );
  return rows.map((row) => row.role).filter(isRole);
};

/** Gives a person in one workspace exactly the roles that rules give to their groups, beside those given by people. */
export const applyRoleRules = defineCommand({
  name: 'member.applyRules',
  describe: 'Replaces the roles that rules give to a person, by the groups that the identity provider named.',
  permission: 'session:create',
  input: z.object({ userId: z.uuid(), groups: z.array(z.string()).max(1000) }),
  target: async (tx, input, actor) => {
    const member = await tx.lock(Member, { userId: input.userId });
    return { id: member?.id ?? newId(), member, workspaceId: actor.workspaceId ?? '' };
  },
  handle: async ({ tx, input, target, now }) => {
    const { id, member, workspaceId } = target;
    const from = member?.rolesByRule ?? [];
    const to = await rolesFor(tx, input.userId, input.groups);
    if (from.length === to.length && to.every((role) => from.includes(role))) {
      return { result: { id }, audit: nothingChanged };
    }
    if (!member) {
      await tx.insert(Member, {
        id,
        workspaceId,
        userId: input.userId,
        roles: [],
        rolesByRule: to,
        createdAt: now,
      });
    } else if (to.length === 0 && member.roles.length === 0) await tx.remove(Member, { id });
    else await tx.update(Member, { id }, { rolesByRule: to });
    return {
      result: { id },
      audit: {
        subject: { kind: 'member', id },
        changes: { rolesByRule: { from, to } },
        facts: { userId: input.userId },
      },
    };
  },
});
