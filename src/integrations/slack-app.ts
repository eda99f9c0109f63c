import { LogLevel, WebClient } from '@slack/web-api';
import { AppError } from '../kernel/errors.js';
import type {
  SlackApp,
  SlackMark,
  SlackPerson,
  SlackPlace,
  SlackPost,
  SlackTeam,
  SlackWhisper,
} from '../kernel/slack-app.js';
import {
  contentBlocks,
  contentText,
  escaped,
  escapedCut,
  modalOf,
  sectionsOf,
  section,
} from './slack-blocks.js';
import { faultOf } from './slack-faults.js';
import { isSigned, sealWith } from './slack-seal.js';

/** How to reach a Slack workspace, and how it proves itself. */
export interface SlackAppOptions {
  /** Bot token; null: nobody is told anything. */
  readonly token: string | null;
  /** Proves that a request came from Slack; null: requests are not accepted. */
  readonly signingSecret: string | null;
  /** Whether clicks arrive over a socket. */
  readonly socket: boolean;
  readonly channel: string;
  /** Another address of the API, for tests and proxies. */
  readonly apiUrl: string | null;
  /** Where links that begin with `/` lead. */
  readonly linkBase: string;
}

const notConfigured = (): Promise<never> =>
  Promise.reject(
    new AppError(
      'PRECONDITION_FAILED',
      'Slack is not configured; set SLACK_BOT_TOKEN to have messages posted',
    ),
  );

/** Where nobody is reached, because no Slack is configured. */
export const noSlack: SlackApp = {
  configured: false,
  interactive: false,
  channel: '',
  linkTo: (path) => path,
  team: notConfigured,
  person: notConfigured,
  post: notConfigured,
  update: notConfigured,
  whisper: notConfigured,
  askReason: notConfigured,
  findPosted: notConfigured,
  isGenuine: () => false,
  seal: () => '',
  unseal: () => null,
};

const eventType = 'countersign_message';

const calling = async <T>(call: () => Promise<T>): Promise<T> => {
  try {
    return await call();
  } catch (error) {
    throw faultOf(error);
  }
};

const teamOf = async (client: WebClient): Promise<SlackTeam> => {
  const { team_id: id, team } = await client.auth.test();
  return { id: id ?? '', name: team ?? '' };
};

const personOf = async (client: WebClient, id: string): Promise<SlackPerson> => {
  const { user = {} } = await client.users.info({ user: id });
  const { profile = {}, team_id: teamId = '', is_bot: isBot = false } = user;
  const { real_name: name = user.name ?? id, email = null } = profile;
  return { id, teamId, name, email, isBot };
};

type LinkTo = (path: string) => string;

const postWith = async (client: WebClient, linkTo: LinkTo, message: SlackPost): Promise<SlackPlace> => {
  const { channel, ts } = await client.chat.postMessage({
    channel: message.channel,
    text: contentText(message.content),
    blocks: contentBlocks(message.content, linkTo),
    metadata: { event_type: eventType, event_payload: { dedupe_key: message.mark } },
    ...(message.threadTs === null ? {} : { thread_ts: message.threadTs }),
    unfurl_links: false,
    unfurl_media: false,
  });
  return { channel: channel ?? message.channel, ts: ts ?? '' };
};

const whisperWith = async (client: WebClient, linkTo: LinkTo, to: SlackWhisper): Promise<void> => {
  const link = to.link === null ? [] : [section(`<${linkTo(to.link.path)}|${escaped(to.link.label)}>`)];
  await client.chat.postEphemeral({
    channel: to.channel,
    user: to.user,
    text: escapedCut(to.lines.join('\n'), 3000),
    blocks: [...sectionsOf(to.lines), ...link],
    ...(to.threadTs === null ? {} : { thread_ts: to.threadTs }),
  });
};

interface Found {
  readonly ts?: string;
  readonly metadata?: { readonly event_type?: string; readonly event_payload?: object };
}

const carries = ({ metadata }: Found, mark: string): boolean =>
  metadata?.event_type === eventType &&
  JSON.stringify(metadata.event_payload) === JSON.stringify({ dedupe_key: mark });

/** Only an id can be looked into; a name would have to be looked for among all channels. */
const isChannelId = /^[CGD][A-Z0-9]{2,}$/;

const findWith = async (
  client: WebClient,
  { channel, threadTs, mark, since }: SlackMark,
): Promise<SlackPlace | null> => {
  if (!isChannelId.test(channel)) return null;
  const look = {
    channel,
    oldest: String(Math.floor(since.getTime() / 1000) - 1),
    include_all_metadata: true,
    limit: 100,
  };
  const { messages = [] }: { messages?: Found[] } =
    threadTs === null
      ? await client.conversations.history(look)
      : await client.conversations.replies({ ...look, ts: threadTs });
  const found = messages.find((one) => carries(one, mark));
  return found?.ts === undefined ? null : { channel, ts: found.ts };
};

/** Keeps what was answered; a failure is asked again. */
const once = <T>(ask: () => Promise<T>): (() => Promise<T>) => {
  let known: Promise<T> | null = null;
  return () => {
    known ??= ask().catch((error: unknown) => {
      known = null;
      throw error;
    });
    return known;
  };
};

/** Slack over its Web API. It never waits for a limit to pass: whoever sends comes back when Slack says. */
export const openSlackApp = (options: SlackAppOptions): SlackApp => {
  const { token, signingSecret, apiUrl, linkBase } = options;
  if (token === null) return noSlack;
  const client = new WebClient(token, {
    ...(apiUrl === null ? {} : { slackApiUrl: apiUrl }),
    rejectRateLimitedCalls: true,
    retryConfig: { retries: 0 },
    timeout: 10_000,
    logLevel: LogLevel.ERROR,
  });
  const linkTo: LinkTo = (path) => new URL(path, linkBase).href;
  return {
    configured: true,
    interactive: signingSecret !== null || options.socket,
    channel: options.channel,
    linkTo,
    team: once(() => calling(() => teamOf(client))),
    person: (userId) => calling(() => personOf(client, userId)),
    post: (message) => calling(() => postWith(client, linkTo, message)),
    update: ({ channel, ts }, content) =>
      calling(async () => {
        await client.chat.update({
          channel,
          ts,
          text: contentText(content),
          blocks: contentBlocks(content, linkTo),
        });
      }),
    whisper: (to) => calling(() => whisperWith(client, linkTo, to)),
    askReason: (trigger, form) =>
      calling(async () => {
        await client.views.open({ trigger_id: trigger, view: modalOf(form) });
      }),
    findPosted: (mark) => calling(() => findWith(client, mark)),
    isGenuine: (request, now) => signingSecret !== null && isSigned(signingSecret, request, now),
    ...sealWith(token),
  };
};
