import { z } from 'zod';
import { slackDeed } from './sealed.js';

const id = z.string().min(1).max(100);
const sealed = z.string().min(1).max(3000);
const who = { teamId: id, user: id };

/** What arrived from Slack and waits to be worked on, in our words; nothing else of it is kept. */
export const interaction = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('CLICK'),
    ...who,
    deed: slackDeed,
    value: sealed,
    trigger: z.string().min(1).max(500),
    channel: id,
    ts: id,
  }),
  z.object({
    kind: z.literal('SUBMIT'),
    ...who,
    form: sealed,
    viewId: id,
    reason: z.string().min(1).max(4000),
  }),
  z.object({
    kind: z.literal('COMMENT'),
    ...who,
    channel: id,
    threadTs: id,
    ts: id,
    text: z.string().min(1).max(40_000),
  }),
]);

/** One thing that arrived. */
export type Interaction = z.output<typeof interaction>;
