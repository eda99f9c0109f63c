import { randomUUID } from 'node:crypto';
import type { FakeSlack, OpenedView, PostedMessage } from './slack.fake.js';
import { signatureOf } from './slack-seal.js';

/** What a receiver answered. */
export interface Answered {
  readonly status: number;
  readonly body: unknown;
}

/** How a request is sent when it is not as usual. */
export interface Unusual {
  readonly secret?: string;
  readonly timestamp?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const form = 'application/x-www-form-urlencoded';

/** Sends as Slack does: signed over the raw bytes, to one address per kind. */
export const sendSigned = async (
  base: string,
  secret: string,
  { path, text, type }: { path: string; text: string; type: string },
  unusual: Unusual = {},
): Promise<Answered> => {
  const timestamp = unusual.timestamp ?? String(Math.floor(Date.now() / 1000));
  const body = Buffer.from(text);
  const response = await fetch(new URL(path, base), {
    method: 'POST',
    body,
    headers: {
      'content-type': type,
      'x-slack-request-timestamp': timestamp,
      'x-slack-signature': signatureOf(unusual.secret ?? secret, timestamp, body),
      ...unusual.headers,
    },
  });
  const answered = await response.text();
  return { status: response.status, body: answered === '' ? null : (JSON.parse(answered) as unknown) };
};

/** The body and the address of each kind. */
export const requestOf = (kind: 'interactive' | 'events_api' | 'slash_commands', payload: object) => {
  if (kind === 'events_api')
    return { path: '/slack/events', text: JSON.stringify(payload), type: 'application/json' };
  if (kind === 'slash_commands') {
    const fields = Object.entries(payload).map(([name, value]): [string, string] => [name, String(value)]);
    return { path: '/slack/commands', text: new URLSearchParams(fields).toString(), type: form };
  }
  const text = new URLSearchParams({ payload: JSON.stringify(payload) }).toString();
  return { path: '/slack/interactions', text, type: form };
};

/** The buttons of a message, by name. */
export const buttonsOf = (message: PostedMessage) =>
  message.blocks.flatMap(({ type, elements = [] }) => (type === 'actions' ? elements : []));

/** A click on a button of a message, as it stands there or with another value. */
export const clickOf = (
  slack: FakeSlack,
  message: PostedMessage,
  click: { user: string; action: string; value?: string; teamId?: string; trigger?: string },
): object => ({
  type: 'block_actions',
  user: { id: click.user, username: click.user, team_id: click.teamId ?? slack.teamId },
  team: { id: click.teamId ?? slack.teamId, domain: 'acme' },
  api_app_id: 'A0APP',
  trigger_id: click.trigger ?? slack.trigger(),
  container: { type: 'message', message_ts: message.ts, channel_id: message.channel, is_ephemeral: false },
  response_url: 'https://hooks.slack.test/actions/unused',
  actions: [
    {
      type: 'button',
      action_id: click.action,
      block_id: 'b',
      action_ts: '1',
      value: click.value ?? buttonsOf(message).find((one) => one.action_id === click.action)?.value,
    },
  ],
});

/** A form that is sent with a reason. */
export const submissionOf = (
  slack: FakeSlack,
  view: Pick<OpenedView, 'id' | 'privateMetadata'>,
  submit: { user: string; reason: string | null; teamId?: string },
): object => ({
  type: 'view_submission',
  user: { id: submit.user, team_id: submit.teamId ?? slack.teamId },
  team: { id: submit.teamId ?? slack.teamId, domain: 'acme' },
  view: {
    id: view.id,
    type: 'modal',
    callback_id: 'countersign_reason',
    private_metadata: view.privateMetadata,
    state: { values: { reason: { reason: { type: 'plain_text_input', value: submit.reason } } } },
  },
});

/** A message that a person writes in the thread of another. */
export const threadMessageOf = (
  slack: FakeSlack,
  message: Pick<PostedMessage, 'ts' | 'channel'>,
  written: { user: string; text: string; ts: string; more?: object },
): object => ({
  type: 'event_callback',
  team_id: slack.teamId,
  api_app_id: 'A0APP',
  event_id: `Ev${randomUUID()}`,
  event_time: 1,
  event: {
    type: 'message',
    channel_type: 'channel',
    channel: message.channel,
    user: written.user,
    text: written.text,
    thread_ts: message.ts,
    ts: written.ts,
    team: slack.teamId,
    ...written.more,
  },
});
