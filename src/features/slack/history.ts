import type { ChangeView } from '../approvals/index.js';
import { decisionLine, endLine } from './content.js';
import type { SlackDeliveryContent } from './slack-delivery.entity.js';
import type { SlackFacts } from './slack.queries/requests.js';

/** Something to be told once. */
export interface Told {
  readonly content: SlackDeliveryContent;
  readonly dedupeKey: string;
}

const longestReason = 2000;
const longestLine = 6000;

const line = (text: string, dedupeKey: string): Told => ({
  content: { kind: 'HISTORY', text: text.slice(0, longestLine).toWellFormed() },
  dedupeKey,
});

/**
 * All that the thread of a request tells: every decision, every one that no longer counts, and the end. Whichever
 * door it came through, it is told by the row it left, and by its key only once.
 */
export const historyOf = (change: ChangeView, facts: SlackFacts): Told[] => {
  const lines = facts.decisions.flatMap((one) => {
    const given = line(`${decisionLine(one)}: ${one.reason.slice(0, longestReason)}`, `${one.id}:given`);
    if (one.valid) return [given];
    return [
      given,
      line(
        `The decision of ${one.byName ?? 'somebody'} no longer counts: ${one.voidReason ?? ''}`,
        `${one.id}:void`,
      ),
    ];
  });
  const end =
    change.state === 'OPEN' ? [] : [line(endLine({ change, facts }), `${change.id}:${change.state}`)];
  return [...lines, ...end];
};
