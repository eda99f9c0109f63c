import { z } from 'zod';
import { defineCommand } from '../../../kernel/command.js';
import { conflict, notFound } from '../../../kernel/errors.js';
import { newId } from '../../../kernel/id.js';
import { endSessions, forgetOldSessions, insertSession } from '../sessions.js';

/** Begins a session of somebody whom the identity provider has vouched for. */
export const beginSession = defineCommand({
  name: 'session.begin',
  describe: 'Begins a session after a sign-in; the session that it replaces ends.',
  permission: 'session:create',
  scope: 'installation',
  input: z.object({
    userId: z.uuid(),
    /** SHA-256 of the cookie, in base64. */
    cookieHash: z.base64().length(44),
    idTokenHint: z.string().max(20_000).nullable(),
    userAgent: z.string().max(200).nullable(),
    authenticatedAt: z.date(),
    fresh: z.boolean(),
    absoluteMs: z.number().positive(),
    replaces: z.uuid().nullable(),
  }),
  target: () => Promise.resolve({ id: newId() }),
  handle: async ({ tx, input, target, now }) => {
    const { userId, idTokenHint, userAgent, authenticatedAt, replaces } = input;
    const ended = replaces === null ? [] : await endSessions(tx, { id: replaces }, 'REPLACED', now);
    const expiresAt = new Date(now.getTime() + input.absoluteMs);
    const tokenHash = Buffer.from(input.cookieHash, 'base64');
    const row = {
      id: target.id,
      userId,
      tokenHash,
      idTokenHint,
      userAgent,
      authenticatedAt,
      createdAt: now,
      expiresAt,
    };
    await insertSession(tx, row, replaces);
    await forgetOldSessions(tx, now);
    return {
      result: { id: target.id, expiresAt },
      audit: {
        subject: { kind: 'session', id: target.id },
        facts: { userId, fresh: input.fresh, authenticatedAt, expiresAt, replaced: ended },
      },
    };
  },
});

export const endSession = defineCommand({
  name: 'session.end',
  describe: 'Ends one of your sessions at once, here or on another machine.',
  permission: 'session:end',
  scope: 'installation',
  input: z.object({ sessionId: z.uuid() }),
  target: async (tx, input, actor) => {
    const [session] = await tx.sql<{ id: string }>(
      'select id from session where id = $1 and user_id::text = $2 for update',
      [input.sessionId, actor.id],
    );
    if (!session) throw notFound('The session');
    return session;
  },
  handle: async ({ tx, actor, target, now }) => {
    const own = actor.kind === 'user' && actor.sessionId === target.id;
    const ended = await endSessions(tx, { id: target.id }, own ? 'SIGNED_OUT' : 'ENDED', now);
    if (ended.length === 0) throw conflict('The session is over already');
    return {
      result: { id: target.id },
      audit: { subject: { kind: 'session', id: target.id }, changes: { endedAt: { from: null, to: now } } },
    };
  },
});
