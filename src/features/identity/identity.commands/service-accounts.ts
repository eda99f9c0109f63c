import { z } from 'zod';
import type { Role } from '../../../kernel/actor.js';
import { defineCommand } from '../../../kernel/command.js';
import { conflict, notFound } from '../../../kernel/errors.js';
import { newId } from '../../../kernel/id.js';
import { ServiceAccount } from '../service-account.entity.js';
import { revokeTokensOf } from './revocation.js';

/** What a machine may be: a tool that asks for decisions, a pipeline that registers models, a reader. Never an approver. */
export const serviceRoles = ['service', 'engineer', 'auditor'] as const satisfies readonly Role[];

export const createServiceAccount = defineCommand({
  name: 'serviceAccount.create',
  describe: 'Creates a service account: a machine that acts in this workspace by its tokens.',
  permission: 'serviceAccount:manage',
  input: z.object({
    name: z.string().trim().min(1).max(100),
    description: z.string().trim().max(2000).default(''),
    roles: z
      .array(
        z.string().refine((role) => serviceRoles.some((known) => known === role), {
          message: `must be one of ${serviceRoles.join(', ')}: machines do not approve`,
        }),
      )
      .min(1)
      .max(serviceRoles.length)
      .default(['service']),
  }),
  target: async (_tx, _input, actor) =>
    Promise.resolve({ id: newId(), workspaceId: actor.workspaceId ?? '' }),
  handle: async ({ tx, actor, input, target, now }) => {
    const { name, description } = input;
    if (await tx.findOne(ServiceAccount, { name })) {
      throw conflict(`A service account named ${name} exists already`, { name });
    }
    const roles = serviceRoles.filter((role) => input.roles.includes(role));
    await tx.insert(ServiceAccount, {
      ...target,
      name,
      description,
      roles,
      createdBy: actor.id,
      createdAt: now,
      disabledAt: null,
    });
    return {
      result: { id: target.id },
      audit: {
        subject: { kind: 'serviceAccount', id: target.id },
        changes: { name: { from: null, to: name }, roles: { from: null, to: roles } },
      },
    };
  },
});

export const disableServiceAccount = defineCommand({
  name: 'serviceAccount.disable',
  describe: 'Shuts a service account out for good; its tokens end at once.',
  permission: 'serviceAccount:manage',
  input: z.object({ serviceAccountId: z.uuid(), reason: z.string().trim().min(1).max(2000) }),
  target: async (tx, input) => {
    const account = await tx.lock(ServiceAccount, { id: input.serviceAccountId });
    if (!account) throw notFound('The service account');
    return account;
  },
  handle: async ({ tx, input, target, now }) => {
    if (target.disabledAt !== null) throw conflict('The service account is disabled already');
    await tx.update(ServiceAccount, { id: target.id }, { disabledAt: now });
    const tokens = await revokeTokensOf(tx, { serviceAccountId: target.id }, now);
    return {
      result: { id: target.id },
      audit: {
        subject: { kind: 'serviceAccount', id: target.id },
        changes: { disabledAt: { from: null, to: now } },
        facts: { reason: input.reason, revokedTokens: tokens },
      },
    };
  },
});
