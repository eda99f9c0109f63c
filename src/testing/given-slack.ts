import type { UserActor } from '../kernel/actor.js';
import { newId } from '../kernel/id.js';
import type { SlackApp } from '../kernel/slack-app.js';
import { linkSlack } from '../features/slack/slack.commands/links.js';
import { openSlackApp } from '../integrations/slack-app.js';
import {
  clickOf,
  requestOf,
  sendSigned,
  submissionOf,
  type Answered,
  type Unusual,
} from '../integrations/slack-sender.fake.js';
import {
  startFakeSlack,
  type FakeBlock,
  type FakeSlack,
  type PostedMessage,
} from '../integrations/slack.fake.js';
import { atEnd } from './at-end.js';
import { givenPromotable, givenRequest, type Given } from './given-change.js';
import { openTestDoor, type TestDoor } from './http-door.js';
import type { Drained } from './jobs.js';
import { drainJobs } from './jobs.js';
import { testApp, type TestApp } from './test-app.js';

/** What the fake and the product share. */
export const slackSecrets = {
  token: 'xoxb-a-token-of-this-test',
  appToken: 'xapp-a-token-of-this-test',
  signingSecret: 'a signing secret of this test',
} as const;

/** How Slack is reached in a test. */
export interface SlackTestOptions {
  readonly people?: Parameters<typeof openTestDoor>[1];
}

/** An application whose requests are told in a Slack that behaves as the documents say, with both doors. */
export interface SlackTest {
  readonly app: TestApp;
  readonly slack: FakeSlack;
  readonly port: SlackApp;
  readonly door: TestDoor;
  drain(options?: { tolerant?: boolean }): Promise<Drained>;
  /** An account that is linked to a person of this role. */
  linked(person: UserActor): Promise<string>;
  /** An account that is linked to nobody. */
  account(id: string): string;
  /** A request in a use case of this tier, announced; and its message. */
  request(tier?: 'LOW' | 'MEDIUM' | 'HIGH'): Promise<{ given: Given; id: string; message: PostedMessage }>;
  send(
    kind: 'interactive' | 'events_api' | 'slash_commands',
    payload: object,
    unusual?: Unusual,
  ): Promise<Answered>;
  /** Clicks, and works on it; gives the form that was opened, if one was. */
  click(
    message: PostedMessage,
    click: { user: string; action: string; value?: string; teamId?: string; trigger?: string },
  ): Promise<{ id: string; privateMetadata: string } | null>;
  submit(view: { id: string; privateMetadata: string }, user: string, reason?: string): Promise<Answered>;
  /** What was whispered last, and to whom. */
  lastWhisper(): string;
}

/** All text that blocks show. */
export const textOf = (blocks: readonly FakeBlock[]): string =>
  blocks
    .flatMap(({ text, fields = [], elements = [] }) => [
      text?.text ?? '',
      ...fields.map((field) => field.text),
      ...elements.map(({ text: inner }) => (typeof inner === 'string' ? inner : '')),
    ])
    .join('\n');

const channelName = '#model-approvals';

/** Opens it. */
export const openSlackTest = async (options: SlackTestOptions = {}): Promise<SlackTest> => {
  const { token, appToken, signingSecret } = slackSecrets;
  const slack = await startFakeSlack({ token, appToken, channels: [channelName, '#escalations'] });
  atEnd(() => slack.close());
  const bare = await testApp();
  const port = openSlackApp({
    token,
    signingSecret,
    socket: false,
    channel: slack.channel(channelName),
    apiUrl: slack.url,
    linkBase: 'https://countersign.example',
  });
  const app: TestApp = { ...bare, outside: { ...bare.outside, slack: port } };
  const door = await openTestDoor(app, options.people);
  return { app, slack, port, door, ...acts(app, slack, door) };
};

type Parts = 'app' | 'slack' | 'port' | 'door';

const acts = (app: TestApp, slack: FakeSlack, door: TestDoor): Omit<SlackTest, Parts> => {
  const drain: SlackTest['drain'] = (options = {}) => drainJobs(app, options);
  const send: SlackTest['send'] = (kind, payload, unusual) => {
    const timestamp = String(Math.floor(app.clock.now().getTime() / 1000));
    return sendSigned(door.url, slackSecrets.signingSecret, requestOf(kind, payload), {
      timestamp,
      ...unusual,
    });
  };
  const account = (id: string): string => {
    slack.addPerson({ id, name: id });
    return id;
  };
  return {
    drain,
    send,
    account,
    linked: async (person) => {
      const slackUserId = account(`U${person.name.toUpperCase().replace(/\W/g, '')}`);
      const fresh = { ...person, sessionId: newId(), authenticatedAt: app.clock.now() };
      const ticket = { ticketId: newId(), teamId: slack.teamId, slackUserId, issuedAt: app.clock.now() };
      await app.run(linkSlack, fresh, ticket);
      return slackUserId;
    },
    request: async (tier = 'LOW') => {
      const given = await givenPromotable(app, { riskTier: tier });
      await drain();
      const id = await givenRequest(app, given);
      await drain();
      const message = slack.posted.filter((one) => one.threadTs === null).at(-1);
      if (!message) throw new Error('The request was not announced');
      return { given, id, message };
    },
    click: async (message, click) => {
      const before = slack.views.length;
      await send('interactive', clickOf(slack, message, click));
      await drain();
      return slack.views.length > before ? (slack.views.at(-1) ?? null) : null;
    },
    submit: async (view, user, reason = 'I looked at it') => {
      const answered = await send('interactive', submissionOf(slack, view, { user, reason }));
      await drain();
      return answered;
    },
    lastWhisper: () => {
      const last = slack.whispers.at(-1);
      return last ? `${last.user}: ${textOf(last.blocks)}` : '';
    },
  };
};
