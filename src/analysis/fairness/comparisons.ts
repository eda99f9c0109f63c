import { type Estimate, unknown } from '../statistics/estimate.js';
import { compareProportions, katzRatio, newcombe, type Test } from '../statistics/proportions.js';
import { benjaminiHochberg, holm } from '../statistics/tests.js';
import type { GroupCounts } from './counts.js';
import { GROUP_METRICS, type GroupMetric, proportionOf } from './metrics.js';
import { type Reporting, reportable } from './reportable.js';

/** A group beside the reference group. */
export interface Comparison {
  readonly metric: GroupMetric;
  readonly group: string;
  readonly reference: string;
  /** Share of the group minus share of the reference. */
  readonly difference: Estimate;
  /** Share of the group over share of the reference. */
  readonly ratio: Estimate;
  readonly test: Test;
  /** p-value corrected by Holm for all comparisons of the report; null without a test. */
  readonly adjustedPValue: number | null;
  /** The same for the false discovery rate (Benjamini and Hochberg). */
  readonly falseDiscoveryPValue: number | null;
}

/** Every metric of every other group against the reference, not yet corrected for their number. */
export function compareGroups(
  groups: readonly GroupCounts[],
  reference: GroupCounts,
  reporting: Reporting,
): Comparison[] {
  const others = groups.filter((group) => group !== reference);
  return GROUP_METRICS.flatMap((metric) =>
    others.map((group) => compare(metric, group, reference, reporting)),
  );
}

function compare(
  metric: GroupMetric,
  group: GroupCounts,
  reference: GroupCounts,
  reporting: Reporting,
): Comparison {
  const names = {
    metric,
    group: group.group,
    reference: reference.group,
    adjustedPValue: null,
    falseDiscoveryPValue: null,
  };
  const first = reportable(proportionOf(metric, group), reporting);
  const second = reportable(proportionOf(metric, reference), reporting);
  if (typeof first === 'string') return { ...names, ...untested(`${group.group}: ${first}`) };
  if (typeof second === 'string') return { ...names, ...untested(`${reference.group}: ${second}`) };
  return {
    ...names,
    difference: newcombe(first, second),
    ratio: katzRatio(first, second),
    test: compareProportions(first, second),
  };
}

/** A comparison that could not be made. */
export function untested(reason: string): Pick<Comparison, 'difference' | 'ratio' | 'test'> {
  const missing = unknown(null, reason);
  return { difference: missing, ratio: missing, test: { method: null, reason } };
}

/** The same comparisons with p-values corrected over all that were tested. */
export function correctForMany(comparisons: readonly Comparison[]): Comparison[] {
  const pValueOf = ({ test }: Comparison): number | null => (test.method === null ? null : test.pValue);
  const family = comparisons.map(pValueOf).filter((pValue) => pValue !== null);
  const [adjusted, discovered] = [holm(family).values(), benjaminiHochberg(family).values()];
  return comparisons.map((comparison) => {
    if (pValueOf(comparison) === null) return comparison;
    return {
      ...comparison,
      adjustedPValue: adjusted.next().value ?? null,
      falseDiscoveryPValue: discovered.next().value ?? null,
    };
  });
}
