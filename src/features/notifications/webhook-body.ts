import { Webhook as Signer } from 'standardwebhooks';
import { outsideName } from './events.js';
import type { SentNews } from './notifications.queries/to-send.js';
import type { WebhookFormat } from './webhook.entity.js';

interface Sending {
  readonly news: SentNews;
  readonly workspace: { readonly id: string; readonly name: string };
  readonly publicUrl: string;
}

const addressOf = ({ news, publicUrl }: Sending): string => new URL(news.link, publicUrl).href;

/** The payload that Standard Webhooks recommends: what, when, and about what. */
const standard = (sending: Sending): object => {
  const { news, workspace } = sending;
  return {
    type: outsideName(news.event),
    timestamp: news.createdAt.toISOString(),
    data: {
      id: news.id,
      workspace,
      subject: { kind: news.subjectKind, id: news.subjectId },
      title: news.title,
      lines: news.lines,
      url: addressOf(sending),
    },
  };
};

/** Flat, for tools that fill templates with fields. */
const plain = (sending: Sending): object => {
  const { news, workspace } = sending;
  return {
    event: outsideName(news.event),
    time: news.createdAt.toISOString(),
    workspace: workspace.name,
    title: news.title,
    text: news.lines.join('\n'),
    subjectKind: news.subjectKind,
    subjectId: news.subjectId,
    url: addressOf(sending),
  };
};

/** Teams reads a little Markdown in its text blocks: what people write becomes neither a link nor a picture. */
const literally = (text: string): string => text.replace(/[\\`*_[\]()#!<>~|]/g, (sign) => `\\${sign}`);

/** An Adaptive Card in the message that a Teams workflow («when a webhook request is received») posts. */
const teams = (sending: Sending): object => {
  const { news, workspace } = sending;
  const block = (text: string, more: object = {}): object => ({
    type: 'TextBlock',
    text,
    wrap: true,
    ...more,
  });
  return {
    type: 'message',
    attachments: [
      {
        contentType: 'application/vnd.microsoft.card.adaptive',
        contentUrl: null,
        content: {
          $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
          type: 'AdaptiveCard',
          version: '1.4',
          body: [
            block(literally(news.title), { weight: 'Bolder', size: 'Medium' }),
            ...news.lines.map((line) => block(literally(line))),
            block(literally(`Countersign, ${workspace.name}`), { isSubtle: true, spacing: 'Small' }),
          ],
          actions: [{ type: 'Action.OpenUrl', title: 'Open in Countersign', url: addressOf(sending) }],
        },
      },
    ],
  };
};

const forms: Readonly<Record<WebhookFormat, (sending: Sending) => object>> = {
  STANDARD: standard,
  JSON: plain,
  TEAMS: teams,
};

/** What is sent; the same for every try. */
export const bodyOf = (format: WebhookFormat, sending: Sending): string =>
  JSON.stringify(forms[format](sending));

/** The headers of Standard Webhooks: one signature for each secret that lives. */
export const headersOf = (
  id: string,
  at: Date,
  body: string,
  secrets: readonly string[],
): Readonly<Record<string, string>> => ({
  'content-type': 'application/json',
  'user-agent': 'Countersign-Webhooks/1',
  'webhook-id': id,
  'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
  'webhook-signature': secrets.map((secret) => new Signer(secret).sign(id, at, body)).join(' '),
});
