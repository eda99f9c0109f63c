import { createServer, type IncomingHttpHeaders } from 'node:http';
import { openWebhookSender } from '../integrations/webhook-sender.js';
import type { RunCommand } from '../kernel/command.js';
import { lookOnce } from '../worker/clock.js';
import { deliveryTick } from '../features/notifications/notifications.jobs/clock.js';
import { atEnd } from './at-end.js';
import { drainJobs, type Drained } from './jobs.js';
import type { TestApp } from './test-app.js';

/** A request as it arrived. */
export interface Received {
  readonly headers: Record<string, string>;
  readonly body: string;
}

/** A delivery as the API shows it. */
export interface DeliveryNode {
  readonly id: string;
  readonly state: string;
  readonly attempts: number;
  readonly lastStatus: number | null;
  readonly lastReason: string | null;
}

/** A real receiver on loopback, and webhooks that lead to it. */
export interface WebhookTest {
  readonly url: string;
  readonly received: Received[];
  /** What it answers to the n-th request, from 1. */
  answer(status: (count: number) => number): void;
  given(change?: Record<string, unknown>): Promise<{ id: string; secret: string }>;
  /** Performs what waits, over a real sender; with another runner if asked. */
  drain(run?: RunCommand): Promise<Drained>;
  sendTest(webhookId: string): Promise<string>;
  deliveries(webhookId: string, state?: string): Promise<DeliveryNode[]>;
  webhook(id: string): Promise<Record<string, unknown> | undefined>;
  /** Moves the clock over the next try, as often as asked. */
  letTimePass(tries: number): Promise<void>;
}

const CREATE = `mutation ($input: WebhookCreateInput!) { createWebhook(input: $input) { id secret } }`;
const TEST = `mutation ($input: WebhookTestInput!) { testWebhook(input: $input) { id } }`;
const LIST = `{ webhooks(first: 200) { nodes {
  id name target state stateReason failingSince oldSecretEndsAt dead events format } } }`;
const DELIVERIES = `query ($webhookId: ID, $state: DeliveryState) {
  deliveries(webhookId: $webhookId, state: $state, first: 200) {
    nodes { id state attempts lastStatus lastReason nextTryAt event title } } }`;

const plainHeaders = (headers: IncomingHttpHeaders): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));

/** Starts the receiver; the words behind `sig=` in its address are a secret. */
const receive = async (received: Received[], statusOf: () => (count: number) => number): Promise<string> => {
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      received.push({ headers: plainHeaders(request.headers), body: Buffer.concat(parts).toString() });
      response.writeHead(statusOf()(received.length)).end();
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  atEnd(async () => {
    server.closeAllConnections();
    server.close();
    return Promise.resolve();
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return `http://127.0.0.1:${String(port)}/hook?sig=HUSH`;
};

/** Opens it for a test file. */
export const openWebhookTest = async (app: TestApp): Promise<WebhookTest> => {
  const received: Received[] = [];
  let status = (_count: number): number => 204;
  const url = await receive(received, () => status);
  const webhooks = openWebhookSender({ allowLoopback: true });
  const drain: WebhookTest['drain'] = (run = app.run) =>
    drainJobs({ ...app, run, outside: { ...app.outside, webhooks } }, { tolerant: run !== app.run });
  let names = 0;
  return {
    url,
    received,
    drain,
    answer: (next) => {
      status = next;
    },
    given: async (change = {}) => {
      names += 1;
      const events = ['CHANGE_REQUESTED', 'CHANGE_EXECUTED'];
      const input = { name: `hook ${String(names)}`, url, events, ...change };
      const owner = await app.actor('owner');
      const answer = await app.graphql<{ createWebhook: { id: string; secret: string } }>(owner, CREATE, {
        input,
      });
      if (!answer.data) throw new Error(JSON.stringify(answer.errors));
      return answer.data.createWebhook;
    },
    sendTest: async (webhookId) => {
      const owner = await app.actor('owner');
      const { data } = await app.graphql<{ testWebhook: { id: string } }>(owner, TEST, {
        input: { webhookId },
      });
      return data?.testWebhook.id ?? '';
    },
    deliveries: async (webhookId, state) => {
      const { data } = await app.graphql<{ deliveries: { nodes: DeliveryNode[] } }>(
        await app.actor('administrator'),
        DELIVERIES,
        { webhookId, state },
      );
      return data?.deliveries.nodes ?? [];
    },
    webhook: async (id) => {
      const { data } = await app.graphql<{ webhooks: { nodes: Record<string, unknown>[] } }>(
        await app.actor('owner'),
        LIST,
      );
      return data?.webhooks.nodes.find((one) => one['id'] === id);
    },
    letTimePass: async (tries) => {
      for (let count = 0; count < tries; count += 1) {
        app.clock.advance(12 * 3_600_000);
        await lookOnce(app, deliveryTick);
        await drain();
      }
    },
  };
};
