import { z } from 'zod';

/** A block of a message, as far as tests look at it. */
export interface FakeBlock {
  readonly type: string;
  readonly text?: { readonly text: string } | undefined;
  readonly fields?: readonly { readonly text: string }[] | undefined;
  readonly elements?: readonly FakeElement[] | undefined;
}

/** A button, or a piece of small print. */
export interface FakeElement {
  readonly type: string;
  readonly text?: unknown;
  readonly action_id?: string | undefined;
  readonly value?: string | undefined;
  readonly url?: string | undefined;
  readonly style?: string | undefined;
}

/** A message as Slack would show it; an update changes it where it stands. */
export interface PostedMessage {
  readonly ts: string;
  readonly channel: string;
  text: string;
  blocks: readonly FakeBlock[];
  readonly dedupeKey: string;
  readonly threadTs: string | null;
}

/** What only one person sees. */
export interface Whispered {
  readonly channel: string;
  readonly user: string;
  readonly text: string;
  readonly blocks: readonly FakeBlock[];
}

/** A form that was opened. */
export interface OpenedView {
  readonly id: string;
  readonly privateMetadata: string;
  readonly title: string;
}

/** An account. */
export interface FakePerson {
  readonly id: string;
  readonly name: string;
  readonly email?: string;
  readonly isBot?: boolean;
  readonly teamId?: string;
}

/** What the server remembers. */
export interface FakeState {
  readonly token: string;
  readonly teamId: string;
  readonly channels: ReadonlyMap<string, string>;
  readonly people: Map<string, FakePerson>;
  readonly posted: PostedMessage[];
  readonly updates: { readonly ts: string; readonly text: string }[];
  readonly whispers: Whispered[];
  readonly views: OpenedView[];
  /** When triggers were given, in milliseconds of the monotonic clock. */
  readonly triggers: Map<string, number>;
  clock: number;
}

/** What a method answers: a fault by its name, or fields. */
export type FakeAnswer = { readonly error: string } | Readonly<Record<string, unknown>>;

const plainText = (most: number) =>
  z.strictObject({
    type: z.literal('plain_text'),
    text: z.string().min(1).max(most),
    emoji: z.boolean().optional(),
  });
const markdown = (most: number) =>
  z.strictObject({
    type: z.literal('mrkdwn'),
    text: z.string().min(1).max(most),
    verbatim: z.boolean().optional(),
  });
const button = z
  .strictObject({
    type: z.literal('button'),
    action_id: z.string().min(1).max(255),
    text: plainText(75),
    value: z.string().max(2000).optional(),
    url: z.url().max(3000).optional(),
    style: z.enum(['primary', 'danger']).optional(),
  })
  .refine(({ value, url }) => value !== undefined || url !== undefined);
const block = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('header'), text: plainText(150) }),
  z
    .strictObject({
      type: z.literal('section'),
      text: markdown(3000).optional(),
      fields: z.array(markdown(2000)).min(1).max(10).optional(),
    })
    .refine(({ text, fields }) => text !== undefined || fields !== undefined),
  z.strictObject({ type: z.literal('divider') }),
  z.strictObject({ type: z.literal('context'), elements: z.array(markdown(3000)).min(1).max(10) }),
  z.strictObject({ type: z.literal('actions'), elements: z.array(button).min(1).max(25) }),
]);

const blocks = z.array(block).max(50);
const common = { channel: z.string().min(1), text: z.string().min(1).max(40_000), blocks };
const postMessage = z.object({
  ...common,
  thread_ts: z.string().optional(),
  metadata: z.object({
    event_type: z.string().regex(/^\w+$/),
    event_payload: z.object({ dedupe_key: z.string() }),
  }),
});
const updateMessage = z.object({ ...common, ts: z.string() });
const postEphemeral = z.object({ ...common, user: z.string(), thread_ts: z.string().optional() });
const view = z.strictObject({
  type: z.literal('modal'),
  callback_id: z.string().max(255),
  private_metadata: z.string().max(3000),
  title: plainText(24),
  submit: plainText(24),
  close: plainText(24),
  blocks: z
    .array(
      z.union([
        block,
        z.strictObject({
          type: z.literal('input'),
          block_id: z.string().max(255),
          label: plainText(2000),
          element: z.strictObject({
            type: z.literal('plain_text_input'),
            action_id: z.string().max(255),
            multiline: z.boolean(),
            max_length: z.int().max(3000),
          }),
        }),
      ]),
    )
    .max(100),
});
const openView = z.object({ trigger_id: z.string(), view });

type Body = Readonly<Record<string, unknown>>;
type Method = (state: FakeState, body: Body) => FakeAnswer;

/** Faults of arguments, as Slack names them. */
const faultOf = (error: z.ZodError): FakeAnswer => ({
  error: ['blocks', 'view'].includes(String(error.issues[0]?.path[0]))
    ? 'invalid_blocks'
    : 'invalid_arguments',
});

/** The id of a channel, by id or by #name. */
const channelOf = ({ channels }: FakeState, asked: string): string | null =>
  channels.get(asked) ?? ([...channels.values()].includes(asked) ? asked : null);

const post: Method = (state, body) => {
  const parsed = postMessage.safeParse(body);
  if (!parsed.success) return faultOf(parsed.error);
  const { text, metadata, thread_ts: threadTs = null } = parsed.data;
  const channel = channelOf(state, parsed.data.channel);
  if (channel === null) return { error: 'channel_not_found' };
  if (threadTs !== null && !state.posted.some((one) => one.ts === threadTs))
    return { error: 'thread_not_found' };
  state.clock += 1;
  const ts = `${String(Math.floor(Date.now() / 1000))}.${String(state.clock).padStart(6, '0')}`;
  const dedupeKey = metadata.event_payload.dedupe_key;
  state.posted.push({ ts, channel, text, blocks: parsed.data.blocks, dedupeKey, threadTs });
  return { channel, ts };
};

const update: Method = (state, body) => {
  const parsed = updateMessage.safeParse(body);
  if (!parsed.success) return faultOf(parsed.error);
  const { channel, ts, text } = parsed.data;
  const message = state.posted.find((one) => one.ts === ts && one.channel === channel);
  if (!message) return { error: 'message_not_found' };
  message.text = text;
  message.blocks = parsed.data.blocks;
  state.updates.push({ ts, text });
  return { channel, ts };
};

const whisper: Method = (state, body) => {
  const parsed = postEphemeral.safeParse(body);
  if (!parsed.success) return faultOf(parsed.error);
  const { user, text } = parsed.data;
  const channel = channelOf(state, parsed.data.channel);
  if (channel === null) return { error: 'channel_not_found' };
  if (!state.people.has(user)) return { error: 'user_not_in_channel' };
  state.whispers.push({ channel, user, text, blocks: parsed.data.blocks });
  return { message_ts: '1' };
};

const triggerLivesMs = 3000;

const open: Method = (state, body) => {
  const parsed = openView.safeParse(body);
  if (!parsed.success) return faultOf(parsed.error);
  const given = state.triggers.get(parsed.data.trigger_id);
  if (given === undefined) return { error: 'invalid_trigger_id' };
  state.triggers.delete(parsed.data.trigger_id);
  if (performance.now() - given > triggerLivesMs) return { error: 'expired_trigger_id' };
  const id = `V${String(state.views.length + 1).padStart(4, '0')}-${String(Math.random()).slice(2)}`;
  state.views.push({
    id,
    privateMetadata: parsed.data.view.private_metadata,
    title: parsed.data.view.title.text,
  });
  return { view: { id } };
};

const info: Method = (state, { user }) => {
  const person = state.people.get(String(user));
  if (!person) return { error: 'user_not_found' };
  const { id, name, email, isBot = false, teamId = state.teamId } = person;
  const profile = { real_name: name, ...(email === undefined ? {} : { email }) };
  return { user: { id, name, team_id: teamId, is_bot: isBot, profile } };
};

const shownOf = ({ ts, text, dedupeKey }: PostedMessage) => ({
  ts,
  text,
  metadata: { event_type: 'countersign_message', event_payload: { dedupe_key: dedupeKey } },
});

const listed = (state: FakeState, { channel, oldest = '0', ts = null }: Body): FakeAnswer => ({
  messages: state.posted
    .filter((one) => one.channel === channel && Number(one.ts) >= Number(oldest))
    .filter((one) => (ts === null ? one.threadTs === null : one.threadTs === ts || one.ts === ts))
    .map(shownOf),
});

/** The methods that we use, held to the documented limits. */
export const methods: Readonly<Record<string, Method>> = {
  'auth.test': ({ teamId }) => ({ team_id: teamId, team: 'Acme', user_id: 'U0BOT' }),
  'users.info': info,
  'chat.postMessage': post,
  'chat.update': update,
  'chat.postEphemeral': whisper,
  'views.open': open,
  'conversations.history': listed,
  'conversations.replies': listed,
};
