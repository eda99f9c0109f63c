import type { Counted } from './decide-rules.js';
import { check, type Check, type Situation } from './situation.js';

const minuteMs = 60_000;

const waitCheck = (rule: string, minutes: number, from: Date | null, now: Date, since: string): Check[] => {
  if (minutes === 0) return [];
  const until = from === null ? null : new Date(from.getTime() + minutes * minuteMs);
  if (until !== null && until <= now)
    return [check(rule, 'PASS', `${String(minutes)} minutes have passed ${since}`)];
  const when = until === null ? '' : `, that is until ${until.toISOString()}`;
  return [
    check(rule, 'WAITING', `Nothing moves before ${String(minutes)} minutes have passed ${since}${when}`),
  ];
};

/** When the last approval came that is needed; null while some are missing. */
const completeSince = (decisions: readonly Counted[]): Date | null => {
  const times = decisions.flatMap((one) =>
    one.verdict === 'APPROVE' && one.createdAt ? [one.createdAt.getTime()] : [],
  );
  return times.length === 0 ? null : new Date(Math.max(...times));
};

/**
 * How long the rules make everybody wait. Time alone carries nothing out: once it has passed, somebody executes what
 * was approved.
 */
export const waitChecks = (
  { demands, requestedAt, now }: Pick<Situation, 'demands' | 'requestedAt' | 'now'>,
  decisions: readonly Counted[],
  complete: boolean,
): Check[] => {
  const { afterRequestMinutes, afterApprovalMinutes } = demands.waits;
  const approved = complete ? completeSince(decisions) : null;
  return [
    ...waitCheck('wait.request', afterRequestMinutes, requestedAt, now, 'since it was asked for'),
    ...waitCheck('wait.approval', afterApprovalMinutes, approved, now, 'since the last approval'),
  ];
};
