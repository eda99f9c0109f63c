import { z } from 'zod';
import type { Actor } from '../../../kernel/actor.js';
import type { AuditEntry } from '../../../kernel/audit.js';
import { defineCommand } from '../../../kernel/command.js';
import type { Tx } from '../../../kernel/db.js';
import { AppError, conflict, notFound } from '../../../kernel/errors.js';
import { newId } from '../../../kernel/id.js';
import { isPermission, type Permission } from '../../../kernel/permissions.js';
import { ApiToken } from '../api-token.entity.js';
import { ServiceAccount } from '../service-account.entity.js';
import { newToken, type TokenKind } from '../tokens.js';
import { revokeTokensOf } from './revocation.js';

const day = 86_400_000;

/** What every new token is told. */
const tokenInput = {
  name: z.string().trim().min(1).max(100),
  scopes: z
    .array(z.string().refine(isPermission, 'is not a permission'))
    .min(1)
    .max(100)
    .nullish()
    .describe('Permissions it is limited to; without them it may do all that its holder may.'),
  expiresInDays: z.int().min(1).max(365).default(90),
};

/** A new token; the secret is shown this once. */
export interface IssuedToken {
  readonly id: string;
  readonly secret: string;
  readonly prefix: string;
  readonly expiresAt: Date;
}

interface Request {
  readonly kind: TokenKind;
  readonly holder: { readonly serviceAccountId: string } | { readonly userId: string };
  readonly name: string;
  readonly scopes: readonly Permission[] | null;
  readonly lifetimeMs: number;
}

/** A token made with a token gets no more than that one has: no further scope, no later end. */
const parentOf = async (
  tx: Tx,
  actor: Actor,
  scopes: readonly Permission[] | null,
): Promise<ApiToken | null> => {
  if (actor.kind === 'service') {
    throw new AppError('FORBIDDEN', 'A service account makes no tokens; a person does', {
      rule: 'no-token-by-machine',
    });
  }
  if (actor.kind === 'system' || actor.tokenId === null) return null;
  const own = actor.scopes;
  const beyond =
    own === null ? [] : (scopes ?? ['all']).filter((scope) => !own.some((held) => held === scope));
  if (beyond.length > 0) {
    throw new AppError('FORBIDDEN', `The token you use may not give ${beyond.join(', ')}`, {
      rule: 'no-wider-token',
      beyond,
    });
  }
  const parent = await tx.findOne(ApiToken, { id: actor.tokenId });
  if (!parent) throw notFound('The token you use');
  return parent;
};

const earlier = (one: Date, other: Date | undefined): Date =>
  other !== undefined && other < one ? other : one;

const issue = async (
  context: { tx: Tx; actor: Actor; now: Date },
  request: Request,
): Promise<{ result: IssuedToken; audit: AuditEntry }> => {
  const { tx, actor, now } = context;
  const parent = await parentOf(tx, actor, request.scopes);
  const { secret, prefix, hash } = newToken(request.kind);
  const expiresAt = earlier(new Date(now.getTime() + request.lifetimeMs), parent?.expiresAt);
  const id = newId();
  const { name, scopes } = request;
  const { serviceAccountId, userId } = { serviceAccountId: null, userId: null, ...request.holder };
  const authenticatedAt = actor.kind === 'user' ? actor.authenticatedAt : now;
  await tx.insert(ApiToken, {
    id,
    workspaceId: actor.workspaceId ?? '',
    serviceAccountId,
    userId,
    name,
    prefix,
    secretHash: hash,
    scopes: scopes === null ? null : [...scopes],
    parentId: parent?.id ?? null,
    authenticatedAt,
    createdBy: actor.id,
    createdAt: now,
    expiresAt,
    revokedAt: null,
  });
  return {
    result: { id, secret, prefix, expiresAt },
    audit: {
      subject: { kind: 'apiToken', id },
      changes: { expiresAt: { from: null, to: expiresAt } },
      facts: { name, prefix, scopes, serviceAccountId, userId, parentId: parent?.id ?? null },
    },
  };
};

const scopesIn = (scopes: readonly string[] | null | undefined): Permission[] | null =>
  scopes?.filter(isPermission) ?? null;

export const createApiToken = defineCommand({
  name: 'apiToken.create',
  describe: 'Makes a token of a service account; its secret is shown this once.',
  permission: 'serviceAccount:manage',
  input: z.object({ serviceAccountId: z.uuid(), ...tokenInput }),
  target: async (tx, input) => {
    const account = await tx.lock(ServiceAccount, { id: input.serviceAccountId });
    if (!account) throw notFound('The service account');
    return account;
  },
  handle: ({ tx, actor, input, target, now }) => {
    if (target.disabledAt !== null) throw conflict('The service account is disabled');
    const { name, expiresInDays } = input;
    const holder = { serviceAccountId: target.id };
    const scopes = scopesIn(input.scopes);
    return issue({ tx, actor, now }, { kind: 'sa', holder, name, scopes, lifetimeMs: expiresInDays * day });
  },
});

export const createPersonalToken = defineCommand({
  name: 'apiToken.createPersonal',
  describe: 'Makes a token that acts as you in this workspace; its secret is shown this once.',
  permission: 'apiToken:create',
  input: z.object(tokenInput),
  target: (_tx, _input, actor) => Promise.resolve({ id: actor.id }),
  handle: ({ tx, actor, input, now }) => {
    if (actor.kind !== 'user') {
      throw new AppError('FORBIDDEN', 'Only a person has personal tokens', { rule: 'no-token-by-machine' });
    }
    const { name, expiresInDays } = input;
    const scopes = scopesIn(input.scopes);
    const holder = { userId: actor.id };
    return issue({ tx, actor, now }, { kind: 'pt', holder, name, scopes, lifetimeMs: expiresInDays * day });
  },
});

/** Makes a short-lived token of a person, for trying things out; only the command line in development does this. */
export const issueTokenForDevelopment = defineCommand({
  name: 'apiToken.issueForDevelopment',
  describe: 'Makes a short-lived token of a person on a development machine.',
  permission: 'apiToken:create',
  input: z.object({ userId: z.uuid(), lifetimeMs: z.number().positive().max(day) }),
  target: (_tx, input) => Promise.resolve({ id: input.userId }),
  handle: ({ tx, actor, input, now }) => {
    if (actor.kind !== 'system') {
      throw new AppError('FORBIDDEN', 'Only the command line makes development tokens', {
        rule: 'development-only',
      });
    }
    const holder = { userId: input.userId };
    const request = {
      kind: 'pt',
      holder,
      name: 'development',
      scopes: null,
      lifetimeMs: input.lifetimeMs,
    } as const;
    return issue({ tx, actor, now }, request);
  },
});

const lockToken = async (tx: Tx, tokenId: string): Promise<ApiToken> => {
  const token = await tx.lock(ApiToken, { id: tokenId });
  if (!token) throw notFound('The token');
  return token;
};

const revoke = async ({
  tx,
  target,
  now,
}: {
  tx: Tx;
  target: ApiToken;
  now: Date;
}): Promise<{ result: { id: string }; audit: AuditEntry }> => {
  if (target.revokedAt !== null) throw conflict('The token is revoked already');
  const revoked = await revokeTokensOf(tx, { id: target.id }, now);
  return {
    result: { id: target.id },
    audit: {
      subject: { kind: 'apiToken', id: target.id },
      changes: { revokedAt: { from: null, to: now } },
      facts: { prefix: target.prefix, madeWithIt: revoked.filter((id) => id !== target.id) },
    },
  };
};

export const revokeApiToken = defineCommand({
  name: 'apiToken.revoke',
  describe: 'Revokes any token of the workspace, and those made with it, at once.',
  permission: 'serviceAccount:manage',
  input: z.object({ tokenId: z.uuid() }),
  target: (tx, input) => lockToken(tx, input.tokenId),
  handle: revoke,
});

export const revokePersonalToken = defineCommand({
  name: 'apiToken.revokePersonal',
  describe: 'Revokes a token of yours, and those made with it, at once.',
  permission: 'apiToken:revoke',
  input: z.object({ tokenId: z.uuid() }),
  target: async (tx, input, actor) => {
    const token = await lockToken(tx, input.tokenId);
    if (token.userId !== actor.id) throw notFound('The token');
    return token;
  },
  handle: revoke,
});
