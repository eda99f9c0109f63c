import { join } from 'node:path';
import { openCompute } from '../compute/index.js';
import { openFileStore } from '../integrations/artifact-store.file.js';
import { noSlack } from '../integrations/slack-app.js';
import { noModelServers, type ModelServers } from '../kernel/model-server.js';
import type {
  ChatMessage,
  ChatRoom,
  Mail,
  Mailer,
  Outside,
  WebhookRequest,
  WebhookSender,
} from '../kernel/ports.js';

/** The outside of a test: real parts where they are local, fakes for vendors that write down what they were told. */
export interface TestOutside extends Outside {
  readonly sent: ChatMessage[];
  readonly mails: Mail[];
  readonly requests: WebhookRequest[];
  close(): Promise<void>;
}

/** Opens the outside of a test over a folder of its own. */
export const openTestOutside = async (
  folder: string,
  modelServers: ModelServers = noModelServers,
): Promise<TestOutside> => {
  const sent: ChatMessage[] = [];
  const chat: ChatRoom = {
    configured: true,
    post: (message) => {
      sent.push(message);
      return Promise.resolve({ id: String(sent.length) });
    },
  };
  const mails: Mail[] = [];
  const mail: Mailer = {
    configured: true,
    send: (one) => {
      mails.push(one);
      return Promise.resolve({ id: one.messageKey });
    },
  };
  const requests: WebhookRequest[] = [];
  const webhooks: WebhookSender = {
    send: (one) => {
      requests.push(one);
      return Promise.resolve({ status: 204, retryAfterSeconds: null });
    },
  };
  const artifacts = await openFileStore(join(folder, 'artifacts'));
  const compute = openCompute({ threads: 2 });
  const ports = {
    artifacts,
    chat,
    slack: noSlack,
    mail,
    webhooks,
    compute,
    modelServers,
    publicUrl: 'https://countersign.example',
  };
  return { ...ports, sent, mails, requests, close: () => compute.close() };
};
