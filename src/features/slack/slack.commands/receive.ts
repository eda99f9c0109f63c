import { z } from 'zod';
import { defineCommand, nothingChanged } from '../../../kernel/command.js';
import { interaction } from '../interaction.js';
import { handleInteraction } from '../slack.jobs/handle.js';

/**
 * Takes what arrived and asks for the work. It changes nothing, so it leaves no entry; what a person then does leaves
 * theirs. Run under the key of what arrived, so that the same thing sent twice is worked on once.
 */
export const receiveInteraction = defineCommand({
  name: 'slackInteraction.receive',
  describe: 'Takes what arrived from Slack.',
  permission: 'slack:deliver',
  scope: 'installation',
  input: z.object({ interaction }),
  target: () => Promise.resolve({ id: 'slack' }),
  handle: ({ input, enqueue }) => {
    const id = enqueue(handleInteraction, input.interaction);
    return Promise.resolve({ result: { id }, audit: nothingChanged });
  },
});
