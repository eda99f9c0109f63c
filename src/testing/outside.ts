import { join } from 'node:path';
import { openCompute } from '../compute/index.js';
import { openFileStore } from '../integrations/artifact-store.file.js';
import { noSlack } from '../integrations/slack-app.js';
import type { ChatMessage, ChatRoom, Outside } from '../kernel/ports.js';

/** The outside of a test: real parts where they are local, fakes for vendors that write down what they were told. */
export interface TestOutside extends Outside {
  readonly sent: ChatMessage[];
  close(): Promise<void>;
}

/** Opens the outside of a test over a folder of its own. */
export const openTestOutside = async (folder: string): Promise<TestOutside> => {
  const sent: ChatMessage[] = [];
  const chat: ChatRoom = {
    configured: true,
    post: (message) => {
      sent.push(message);
      return Promise.resolve({ id: String(sent.length) });
    },
  };
  const artifacts = await openFileStore(join(folder, 'artifacts'));
  const compute = openCompute({ threads: 2 });
  return { artifacts, chat, slack: noSlack, compute, sent, close: () => compute.close() };
};
