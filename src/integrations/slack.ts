import { LogLevel, WebAPIPlatformError, WebAPIRateLimitedError, WebClient } from '@slack/web-api';
import { AppError } from '../kernel/errors.js';
import type { ChatMessage, ChatRoom } from '../kernel/ports.js';
import { noChat } from './outside.js';
import {
  escaped,
  escapedCut,
  header,
  section,
  sectionsOf,
  slackLimits,
  type Blocks,
} from './slack-blocks.js';
import { refusedBySlack } from './slack-faults.js';

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

const blocksOf = ({ title, lines, link }: ChatMessage, linkBase: string): Blocks => {
  const last = link ? [section(`<${new URL(link.url, linkBase).href}|${escaped(link.label)}>`)] : [];
  const room = slackLimits.blocks - 1 - last.length;
  return [header(title), ...sectionsOf(lines).slice(0, room), ...last];
};

/** What can be said of a refusal of Slack: how to put it right, or to try again later. */
const refusal = (error: unknown): unknown => {
  if (error instanceof WebAPIRateLimitedError) {
    const seconds = String(error.retryAfter);
    return new AppError('RATE_LIMITED', `Slack asks to wait ${seconds} s`, {
      retryAfterSeconds: error.retryAfter,
    });
  }
  return error instanceof WebAPIPlatformError ? refusedBySlack(error.data.error) : error;
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
