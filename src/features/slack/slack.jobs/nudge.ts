import { z } from 'zod';
import { defineJob } from '../../../kernel/job.js';
import { isOpen } from '../content.js';
import { nudgesOf } from '../nudges.js';
import { planDeliveries } from '../slack.commands/plan.js';
import type { SlackDeliveryContent } from '../slack-delivery.entity.js';
import { readShown } from './shown.js';

const contentOf = (nudge: 'EXPIRES' | 'WAITS' | 'ESCALATES'): SlackDeliveryContent =>
  nudge === 'ESCALATES' ? { kind: 'ESCALATION' } : { kind: 'REMINDER', why: nudge };

/** Its time has come, as far as it was known when it was asked for: the settings may say something else since. */
export const nudgeJob = defineJob({
  name: 'slack.nudge',
  queue: 'light',
  payload: z.object({ changeRequestId: z.uuid(), nudge: z.enum(['EXPIRES', 'WAITS', 'ESCALATES']) }),
  attempts: 8,
  timeoutMs: 30_000,
  handle: async ({ payload: { changeRequestId, nudge }, run, ask, actor, clock }) => {
    const { change, facts } = await readShown({ ask, actor }, changeRequestId);
    const now = clock.now();
    const due = nudgesOf(change, facts.settings).some((one) => one.nudge === nudge && one.at <= now);
    if (!due || !isOpen(change, now) || !facts.announced) return;
    if (nudge === 'WAITS' && facts.decisions.some((one) => one.valid)) return;
    const deliveries = [{ content: contentOf(nudge), dedupeKey: `${changeRequestId}:${nudge}` }];
    await run(planDeliveries, actor, { changeRequestId, deliveries });
  },
});
