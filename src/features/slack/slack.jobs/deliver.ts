import { AppError } from '../../../kernel/errors.js';
import { newId } from '../../../kernel/id.js';
import { defineReaction, type Change, type JobContext } from '../../../kernel/job.js';
import { SlackTrouble, type SlackContent, type SlackPlace } from '../../../kernel/slack-app.js';
import { recordNotification } from '../../notifications/index.js';
import { digestOf, nudgeContent, plainContent, requestContent, type Shown } from '../content.js';
import { linkPath } from '../sealed.js';
import { claimDelivery, type Held } from '../slack.commands/claim.js';
import { planDeliveries } from '../slack.commands/plan.js';
import { settleDelivery, type DeliveryOutcome } from '../slack.commands/settle.js';
import { wakeDeliveries } from '../slack.commands/wake.js';
import type { SlackDeliveryContent } from '../slack-delivery.entity.js';
import { accountsOf } from '../slack.queries/people.js';
import { readShown } from './shown.js';

type Context = JobContext<Change>;

const sent = (place: SlackPlace | null = null, shownSha256: string | null = null): DeliveryOutcome => ({
  state: 'SENT',
  place,
  shownSha256,
});

const notSent = (reason: string): DeliveryOutcome => ({
  state: 'NOT_SENT',
  reason: reason.slice(0, 1000).toWellFormed(),
});

interface Posting {
  readonly channel: string;
  readonly threadTs: string | null;
  readonly content: SlackContent;
}

/** Posts, unless an earlier try whose answer was lost did. */
const post = async ({ outside }: Context, held: Held, posting: Posting): Promise<SlackPlace> => {
  const { channel, threadTs, content } = posting;
  const mark = held.id;
  const there = held.uncertain
    ? await outside.slack.findPosted({ channel, threadTs, mark, since: held.createdAt })
    : null;
  return there ?? outside.slack.post({ channel, threadTs, content, mark });
};

const postRequest = async (context: Context, held: Held, shown: Shown): Promise<DeliveryOutcome> => {
  const { slack } = context.outside;
  const content = requestContent(shown, slack, context.clock.now());
  const channel = shown.facts.settings.channel ?? slack.channel;
  return sent(await post(context, held, { channel, threadTs: null, content }), digestOf(content));
};

const update = async ({ outside: { slack }, clock }: Context, shown: Shown): Promise<DeliveryOutcome> => {
  const { message } = shown.facts;
  if (message === null) return notSent('the message of the request is not there');
  const content = requestContent(shown, slack, clock.now());
  const digest = digestOf(content);
  if (digest !== message.shownSha256) await slack.update(message, content);
  return sent(message, digest);
};

const reply = async (
  context: Context,
  held: Held,
  { facts: { message } }: Shown,
  content: SlackContent,
): Promise<DeliveryOutcome> => {
  if (message === null) return notSent('the message of the request is not there');
  return sent(await post(context, held, { channel: message.channel, threadTs: message.ts, content }));
};

/** The accounts of those who are asked, or of a role; Slack tells whoever is named. */
const named = async (
  { ask, actor, outside }: Context,
  shown: Shown,
  role: string | null,
): Promise<string[]> => {
  const { id: teamId } = await outside.slack.team();
  const userIds = shown.standing.requirements
    .flatMap(({ people }) => people.map(({ id }) => id))
    .slice(0, 200);
  return ask(accountsOf, actor, { teamId, userIds, role });
};

const escalate = async (context: Context, held: Held, shown: Shown): Promise<DeliveryOutcome> => {
  const { escalationChannel: channel, escalationRole: role } = shown.facts.settings;
  const content = nudgeContent(shown, 'ESCALATES', await named(context, shown, role));
  if (channel === null) return reply(context, held, shown, content);
  return sent(await post(context, held, { channel, threadTs: null, content }));
};

const whisper = async (
  { outside: { slack }, clock, actor }: Context,
  content: Extract<SlackDeliveryContent, { kind: 'WHISPER' | 'LINK' }>,
): Promise<DeliveryOutcome> => {
  const { channel, user } = content;
  if (content.kind === 'WHISPER') {
    const { threadTs, lines, link } = content;
    await slack.whisper({ channel, user, threadTs, lines, link });
    return sent();
  }
  const ticket = {
    ticketId: newId(),
    teamId: content.teamId,
    user,
    workspaceId: actor.workspaceId,
    issuedAt: clock.now().toISOString(),
  };
  const lines = ['Your Slack account is not linked to Countersign yet, so nothing was done.'];
  const link = { label: 'Sign in and link it (good for 15 minutes, once)', path: linkPath(slack, ticket) };
  await slack.whisper({ channel, user, threadTs: null, lines, link });
  return sent();
};

const aboutRequest = async (
  context: Context,
  held: Held,
  changeRequestId: string,
): Promise<DeliveryOutcome> => {
  const { content } = held;
  const shown = await readShown(context, changeRequestId);
  switch (content.kind) {
    case 'REQUEST':
      return postRequest(context, held, shown);
    case 'UPDATE':
      return update(context, shown);
    case 'HISTORY':
      return reply(context, held, shown, plainContent([content.text]));
    case 'REMINDER': {
      const mentions = await named(context, shown, null);
      return reply(context, held, shown, nudgeContent(shown, content.why, mentions));
    }
    case 'ESCALATION':
      return escalate(context, held, shown);
    case 'WHISPER':
    case 'LINK':
      return whisper(context, content);
  }
};

const send = (context: Context, held: Held): Promise<DeliveryOutcome> => {
  const { content, changeRequestId } = held;
  if (held.late) return Promise.resolve(notSent('not sent: Slack could not be reached in time'));
  if (content.kind === 'WHISPER' || content.kind === 'LINK') return whisper(context, content);
  if (changeRequestId === null) return Promise.resolve(notSent('it is about no request'));
  return aboutRequest(context, held, changeRequestId);
};

const firstPauseMs = 5000;
const longestPauseMs = 300_000;

/** When to come back: when Slack said, else later and later, up to five minutes. */
const pauseMs = ({ retryAfterSeconds }: SlackTrouble, attempts: number): number =>
  retryAfterSeconds === null
    ? Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(10, attempts - 1))
    : Math.max(1, retryAfterSeconds) * 1000;

const attempt = async (context: Context, held: Held): Promise<DeliveryOutcome> => {
  try {
    return await send(context, held);
  } catch (error) {
    if (error instanceof SlackTrouble) {
      const notBefore = new Date(context.clock.now().getTime() + pauseMs(error, held.attempts));
      return { state: 'WAITING', notBefore, uncertain: error.uncertain };
    }
    if (error instanceof AppError) return notSent(`not sent: ${error.message}`);
    throw error;
  }
};

/** What people are told of a request stands among the notifications too. */
const note = async ({ run, ask, actor }: Context, held: Held, outcome: DeliveryOutcome): Promise<void> => {
  const { content, changeRequestId } = held;
  if (content.kind !== 'REQUEST' || changeRequestId === null || outcome.state === 'WAITING') return;
  const { change } = await readShown({ ask, actor }, changeRequestId);
  await run(recordNotification, actor, {
    channel: 'slack',
    subjectKind: 'changeRequest',
    subjectId: changeRequestId,
    title: `#${String(change.number)} ${change.title}`,
    dedupeKey: `slack:${held.id}`,
    outcome:
      outcome.state === 'SENT'
        ? { state: 'SENT', externalId: outcome.place?.ts ?? 'unknown' }
        : { state: 'NOT_SENT', reason: outcome.reason },
  });
};

const mostAtOnce = 100;

/**
 * Sends what waits, in order, until nothing is left or Slack asks to wait. A try that ends between sending and writing
 * down is made again; then it first looks for its mark, so a message stands there twice only where it may not look.
 */
export const deliver = defineReaction({
  name: 'slack.deliver',
  follows: [planDeliveries, wakeDeliveries],
  attempts: 12,
  timeoutMs: 120_000,
  handle: async (context) => {
    const { run, actor, signal, jobId } = context;
    for (let sendings = 0; sendings < mostAtOnce; sendings += 1) {
      signal.throwIfAborted();
      const held = await run(claimDelivery, actor, { holder: jobId });
      if (held === null) return;
      const outcome = await attempt(context, held);
      await note(context, held, outcome);
      await run(settleDelivery, actor, { id: held.id, holder: jobId, outcome });
      if (outcome.state === 'WAITING') return;
    }
    await run(wakeDeliveries, actor, {});
  },
});
