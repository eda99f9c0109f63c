import type { PolicyValue } from './evaluate-policy.js';

/** May another policy replace the logged one, and if not, why. */
export interface PromotionVerdict {
  readonly isAllowed: boolean;
  readonly reasons: readonly string[];
}

/** The same policy judged on the rounds of one protected group. */
export interface GroupValue {
  readonly group: string;
  readonly value: PolicyValue;
}

/**
 * Conservative rule: the lower bound of the policy (doubly robust, or by propensities without a model) must lie above the
 * upper bound of what was logged, over all rounds and in every group with at least `smallest` rounds. Every bound holds
 * by itself with its delta; divide delta by their number to have all at once.
 */
export function promotionVerdict(
  overall: PolicyValue,
  groups: readonly GroupValue[],
  smallest: number,
): PromotionVerdict {
  const judged = [
    { group: 'all rounds', value: overall },
    ...groups.filter(({ value }) => value.n >= smallest),
  ];
  const reasons = judged.flatMap(({ group, value }) => {
    const { doublyRobust, ips, loggedUpper } = value.bounds;
    const lower = doublyRobust.value === null ? ips : doublyRobust;
    if (lower.value === null) return [`${group}: ${lower.reason}`];
    if (loggedUpper.value === null) return [`${group}: ${loggedUpper.reason}`];
    return lower.value > loggedUpper.value
      ? []
      : [`${group}: the lower bound ${lower.value.toFixed(4)} is not above ${loggedUpper.value.toFixed(4)}.`];
  });
  return { isAllowed: reasons.length === 0, reasons };
}
