import { z } from 'zod';
import { defineCommand } from '../../../kernel/command.js';

/** Says that something can be sent now; the reaction that sends follows it. */
export const wakeDeliveries = defineCommand({
  name: 'slackDelivery.wake',
  describe: 'Goes on with what waits to be sent to Slack.',
  permission: 'slack:deliver',
  input: z.object({}),
  target: (_tx, _input, actor) => Promise.resolve({ id: actor.workspaceId ?? '' }),
  handle: ({ target }) =>
    Promise.resolve({
      result: { id: target.id },
      audit: { subject: { kind: 'workspace', id: target.id }, facts: { goesOn: 'slack' } },
    }),
});
