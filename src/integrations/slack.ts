import {
  LogLevel,
  WebAPIPlatformError,
  WebAPIRateLimitedError,
  WebClient,
  type ChatPostMessageArguments,
} from '@slack/web-api';
import { AppError } from '../kernel/errors.js';
import type { ChatMessage, ChatRoom } from '../kernel/ports.js';
import { noChat } from './outside.js';

/** How to reach a Slack workspace. */
export interface SlackOptions {
  /** Bot token with `chat:write`; null: nobody is told anything. */
  readonly token: string | null;
  readonly channel: string;
  /** Another address of the API, for tests and proxies. */
  readonly apiUrl: string | null;
  /** Where links that begin with `/` lead. */
  readonly linkBase: string;
}

/** The documented limits of Block Kit. */
export const slackLimits = { header: 150, sectionText: 3000, blocks: 50, text: 4000 } as const;

const cut = (text: string, most: number): string =>
  text.length <= most ? text : `${text.slice(0, most - 1)}…`;

const signs: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

/** The three signs that Slack gives a meaning; nothing that people write becomes a mention or a link. */
const escaped = (text: string): string => text.replace(/[&<>]/g, (sign) => signs[sign] ?? sign);

/** Escaped text of a length, cut between signs: half an `&amp;` would be shown as such. */
const escapedCut = (text: string, most: number): string => {
  const whole = escaped(text);
  if (whole.length <= most) return whole;
  const short = whole.slice(0, most - 1);
  return `${short.replace(/&[a-z]*$|[\ud800-\udbff]$/, '')}…`;
};

type Blocks = NonNullable<Extract<ChatPostMessageArguments, { blocks: unknown }>['blocks']>;

const section = (text: string): Blocks[number] => ({ type: 'section', text: { type: 'mrkdwn', text } });

/** Lines as sections, as many lines in each as its limit allows. */
const sectionsOf = (lines: readonly string[]): Blocks[number][] => {
  const texts: string[] = [];
  for (const line of lines.map((one) => escapedCut(one, slackLimits.sectionText))) {
    const last = texts.at(-1);
    const together = last === undefined ? line : `${last}\n${line}`;
    if (last === undefined || together.length > slackLimits.sectionText) texts.push(line);
    else texts[texts.length - 1] = together;
  }
  return texts.map(section);
};

const blocksOf = ({ title, lines, link }: ChatMessage, linkBase: string): Blocks => {
  const header: Blocks[number] = {
    type: 'header',
    text: { type: 'plain_text', text: cut(title, slackLimits.header), emoji: false },
  };
  const last = link ? [section(`<${new URL(link.url, linkBase).href}|${escaped(link.label)}>`)] : [];
  const room = slackLimits.blocks - 1 - last.length;
  return [header, ...sectionsOf(lines).slice(0, room), ...last];
};

/** What can be said of a refusal of Slack: how to put it right, or to try again later. */
const refusal = (error: unknown): unknown => {
  if (error instanceof WebAPIRateLimitedError) {
    const seconds = String(error.retryAfter);
    return new AppError('RATE_LIMITED', `Slack asks to wait ${seconds} s`, {
      retryAfterSeconds: error.retryAfter,
    });
  }
  if (!(error instanceof WebAPIPlatformError)) return error;
  const reason = error.data.error;
  const remedies: Readonly<Record<string, string>> = {
    invalid_auth: 'the token is not valid; set SLACK_BOT_TOKEN to a bot token of the workspace',
    token_revoked: 'the token was revoked; install the app again and set SLACK_BOT_TOKEN',
    channel_not_found: 'the channel was not found; check SLACK_CHANNEL and invite the app into it',
    not_in_channel: 'the app is not in the channel; invite it',
    is_archived: 'the channel is archived; choose another one with SLACK_CHANNEL',
    missing_scope: 'the token may not post; give the app the scope chat:write',
  };
  const remedy = remedies[reason];
  const message =
    remedy === undefined ? `Slack refused the message: ${reason}` : `Slack refused the message: ${remedy}`;
  return new AppError('PRECONDITION_FAILED', message, { slack: reason });
};

/** A room in Slack. It never waits for a limit to pass: the job that posts comes back by its own back-off. */
export const openSlack = ({ token, channel, apiUrl, linkBase }: SlackOptions): ChatRoom => {
  if (token === null) return noChat;
  const client = new WebClient(token, {
    ...(apiUrl === null ? {} : { slackApiUrl: apiUrl }),
    rejectRateLimitedCalls: true,
    retryConfig: { retries: 0 },
    timeout: 10_000,
    logLevel: LogLevel.ERROR,
  });
  return {
    configured: true,
    post: async (message) => {
      try {
        const { ts } = await client.chat.postMessage({
          channel: message.channel === '' ? channel : message.channel,
          // Shown in notifications and where blocks are not; it is mrkdwn like theirs.
          text: escapedCut(message.title, slackLimits.text),
          blocks: blocksOf(message, linkBase),
          // The mark by which a message that was sent twice can be found.
          metadata: {
            event_type: 'countersign_notification',
            event_payload: { dedupe_key: message.dedupeKey },
          },
          unfurl_links: false,
          unfurl_media: false,
        });
        return { id: ts ?? '' };
      } catch (error) {
        throw refusal(error);
      }
    },
  };
};
