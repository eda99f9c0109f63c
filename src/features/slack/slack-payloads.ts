import { z } from 'zod';
import { reasonField } from '../../kernel/slack-app.js';
import type { Interaction } from './interaction.js';
import { slackDeed } from './sealed.js';

const id = z.string().min(1).max(100);
const user = z.object({ id, team_id: id.optional() });
const team = z.object({ id }).nullish();

const blockActions = z.object({
  type: z.literal('block_actions'),
  user,
  team,
  trigger_id: z.string().min(1).max(500),
  container: z.object({ message_ts: id, channel_id: id }),
  actions: z
    .array(z.object({ action_id: z.string().max(255), value: z.string().max(3000).optional() }))
    .min(1),
});

const viewSubmission = z.object({
  type: z.literal('view_submission'),
  user,
  team,
  view: z.object({
    id,
    private_metadata: z.string().max(3000),
    state: z.object({
      values: z.object({
        [reasonField]: z.object({ [reasonField]: z.object({ value: z.string().max(10_000).nullish() }) }),
      }),
    }),
  }),
});

const messageEvent = z.object({
  type: z.literal('event_callback'),
  team_id: id,
  event_id: id,
  event: z.object({
    type: z.literal('message'),
    subtype: z.literal('thread_broadcast').optional(),
    // Our own messages come back as events too, and those of other apps.
    bot_id: z.undefined().optional(),
    user: id,
    user_team: id.optional(),
    team: id.optional(),
    channel: id,
    thread_ts: id,
    ts: id,
    text: z.string().trim().min(1).max(40_000),
  }),
});

/** Something that arrived, and the key by which the same thing is known when it arrives again. */
export interface Read {
  readonly interaction: Interaction;
  readonly key: string;
}

/** The team of whoever acts: in a shared channel another one than that of the app. */
const teamOf = (
  body: { user: z.output<typeof user>; team?: z.output<typeof team> } | undefined,
): string | undefined => body?.user.team_id ?? body?.team?.id;

/** A click on one of our buttons; null for everything else that Slack calls an action. */
export const readClick = (body: unknown): Read | null => {
  const parsed = blockActions.safeParse(body).data;
  const action = parsed?.actions[0];
  const deed = slackDeed.safeParse(action?.action_id).data;
  const teamId = teamOf(parsed);
  if (!parsed || action?.value === undefined || deed === undefined || teamId === undefined) return null;
  const { container, trigger_id: trigger } = parsed;
  return {
    key: trigger,
    interaction: {
      kind: 'CLICK',
      teamId,
      user: parsed.user.id,
      deed,
      value: action.value,
      trigger,
      channel: container.channel_id,
      ts: container.message_ts,
    },
  };
};

/** A form that was sent, with the reason as it was written. */
export const readSubmission = (
  body: unknown,
): {
  readonly teamId: string;
  readonly user: string;
  readonly viewId: string;
  form: string;
  reason: string;
} | null => {
  const parsed = viewSubmission.safeParse(body).data;
  const teamId = teamOf(parsed);
  if (!parsed || teamId === undefined) return null;
  const { view } = parsed;
  const reason = (view.state.values[reasonField][reasonField].value ?? '').trim();
  return { teamId, user: parsed.user.id, viewId: view.id, form: view.private_metadata, reason };
};

const signs: Readonly<Record<string, string>> = { '&lt;': '<', '&gt;': '>', '&amp;': '&' };

/** An address with what Slack shows instead of it; nothing is said twice. */
const linkAsWritten = (address: string, shown = ''): string => {
  const bare = address.replace(/^(?:https?:\/\/|mailto:)/, '');
  if (shown === '') return address;
  return shown === address || shown === bare ? shown : `${shown} (${address})`;
};

/** What a person wrote: Slack sends three signs escaped, and addresses in brackets, with what it shows instead. */
const asWritten = (text: string): string =>
  text
    .replace(/<((?:https?|mailto):[^<>|]+)(?:\|([^<>|]*))?>/g, (_, address: string, shown?: string) =>
      linkAsWritten(address, shown),
    )
    .replace(/&(?:lt|gt|amp);/g, (sign) => signs[sign] ?? sign);

/** A message in a thread that a person wrote. */
export const readThreadMessage = (body: unknown): Read | null => {
  const parsed = messageEvent.safeParse(body).data;
  if (!parsed || parsed.event.thread_ts === parsed.event.ts) return null;
  const { event, team_id: installed, event_id: key } = parsed;
  return {
    key,
    interaction: {
      kind: 'COMMENT',
      teamId: event.user_team ?? event.team ?? installed,
      user: event.user,
      channel: event.channel,
      threadTs: event.thread_ts,
      ts: event.ts,
      text: asWritten(event.text),
    },
  };
};

/** The question that Slack asks once, when an address is entered. */
export const urlVerification = z.object({
  type: z.literal('url_verification'),
  challenge: z.string().max(1000),
});

/** A command that somebody typed. */
export const slashCommand = z.object({ user_id: id, team_id: id, text: z.string().max(3000).default('') });
