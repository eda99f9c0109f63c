import { z } from 'zod';
import type { Actor, UserActor } from '../../../kernel/actor.js';
import { defineCommand, type CommandOutcome } from '../../../kernel/command.js';
import { isDuplicate, type Tx } from '../../../kernel/db.js';
import { AppError, conflict, notFound } from '../../../kernel/errors.js';
import { newId } from '../../../kernel/id.js';
import { setSlackAddress } from '../../notifications/index.js';
import { SlackLink } from '../slack-link.entity.js';

/** The clock of the provider may differ from ours, and it counts in whole seconds. */
const clocksMayDifferByMs = 10_000;

/** A person, in a browser, who proved who they are after the link was asked for. */
const requireFreshPerson = (actor: Actor, issuedAt: Date): UserActor => {
  if (actor.kind !== 'user' || actor.sessionId === null) {
    const sentence =
      'An account is linked by the person it belongs to, signed in here; never by a machine or a token';
    throw new AppError('FORBIDDEN', sentence, { rule: 'person' });
  }
  if (actor.authenticatedAt.getTime() < issuedAt.getTime() - clocksMayDifferByMs) {
    const sentence =
      'Sign in again first: linking an account asks that you proved who you are after you asked for it';
    throw new AppError('PRECONDITION_FAILED', sentence, { rule: 'fresh-sign-in' });
  }
  return actor;
};

interface Wanted {
  readonly ticketId: string;
  readonly teamId: string;
  readonly slackUserId: string;
}

const linkUsed = (): AppError =>
  conflict('This link was used already; ask for another one in Slack', { rule: 'link-used' });

/** Another workspace may have seen the link, which nobody here can look up; the index knows. */
const orLinkUsed = async (write: Promise<unknown>): Promise<void> => {
  await write.catch((error: unknown) => {
    throw isDuplicate(error, 'slack_link_ticket') ? linkUsed() : error;
  });
};

const requireFree = async (
  tx: Tx,
  userId: string,
  { ticketId, teamId, slackUserId }: Wanted,
): Promise<void> => {
  if (await tx.findOne(SlackLink, { ticketId })) throw linkUsed();
  const present = await tx.sql<{ user_id: string; slack_user_id: string }>(
    `select user_id, slack_user_id from slack_link
      where unlinked_at is null and team_id = $1 and (slack_user_id = $2 or user_id = $3)`,
    [teamId, slackUserId, userId],
  );
  if (present.some((one) => one.user_id !== userId)) {
    throw conflict('This Slack account is linked to somebody else here', { rule: 'account-linked' });
  }
  if (present.length > 0) {
    throw conflict('You have linked a Slack account here; unlink it first', { rule: 'already-linked' });
  }
};

export const linkSlack = defineCommand({
  name: 'slackLink.create',
  describe: 'Links a Slack account to the person who is signed in.',
  permission: 'slack:link',
  input: z.object({
    ticketId: z.uuid(),
    teamId: z.string().min(1).max(100),
    slackUserId: z.string().min(1).max(100),
    issuedAt: z.coerce.date(),
  }),
  target: (_tx, _input, actor) => Promise.resolve({ id: actor.workspaceId ?? '' }),
  handle: async ({ tx, actor, input, target, now }) => {
    const { issuedAt, ...wanted } = input;
    const person = requireFreshPerson(actor, issuedAt);
    await tx.sql(`select pg_advisory_xact_lock(hashtextextended('slack_link/' || $1, 0))`, [target.id]);
    await requireFree(tx, person.id, wanted);
    const id = newId();
    const link = { ...wanted, id, workspaceId: target.id, userId: person.id, linkedAt: now };
    await orLinkUsed(tx.insert(SlackLink, link));
    await setSlackAddress(tx, { workspaceId: target.id, userId: person.id }, wanted.slackUserId, now);
    return {
      result: { id },
      audit: {
        subject: { kind: 'slackLink', id },
        changes: { userId: { from: null, to: person.id } },
        personal: { subjectId: person.id, data: { teamId: wanted.teamId, slackUserId: wanted.slackUserId } },
      },
    };
  },
});

const lockLink = async (tx: Tx, linkId: string): Promise<SlackLink> => {
  const link = await tx.lock(SlackLink, { id: linkId });
  if (!link || link.unlinkedAt !== null) throw notFound('The link');
  return link;
};

const end = async (
  tx: Tx,
  link: SlackLink,
  actor: Actor,
  now: Date,
): Promise<CommandOutcome<{ id: string }>> => {
  await tx.update(SlackLink, { id: link.id }, { unlinkedAt: now, unlinkedBy: actor.id });
  await setSlackAddress(tx, link, null, now);
  return {
    result: { id: link.id },
    audit: {
      subject: { kind: 'slackLink', id: link.id },
      changes: { userId: { from: link.userId, to: null } },
    },
  };
};

const linkId = z.object({ linkId: z.uuid() });

export const unlinkSlack = defineCommand({
  name: 'slackLink.end',
  describe: 'Ends the link of your Slack account; from then on it may do nothing here.',
  permission: 'slack:link',
  input: linkId,
  target: async (tx, input, actor) => {
    const link = await lockLink(tx, input.linkId);
    if (link.userId !== actor.id) throw notFound('The link');
    return link;
  },
  handle: ({ tx, actor, target, now }) => end(tx, target, actor, now),
});

export const removeSlackLink = defineCommand({
  name: 'slackLink.remove',
  describe: 'Ends the link of somebody else’s Slack account.',
  permission: 'slack:manage',
  input: linkId,
  target: (tx, input) => lockLink(tx, input.linkId),
  handle: ({ tx, actor, target, now }) => end(tx, target, actor, now),
});
