import { AnalysisInputError } from '../errors.js';
import { twoSidedZ } from '../statistics/distributions.js';
import { CONFIDENCE, type Estimate, unknown } from '../statistics/estimate.js';
import { katzRatio, type Proportion } from '../statistics/proportions.js';
import type { GroupCounts } from './counts.js';
import { type GroupShare, proportionOf } from './metrics.js';
import { reportable, type Reporting, USUAL } from './reportable.js';

/** Names of Aequitas, and the shares that they are here; `predictedPositiveRate` is the share of all selected. */
export const AEQUITAS_METRICS = {
  predictedPositiveRate: null,
  predictedPositivePrevalence: 'selectionRate',
  precision: 'precision',
  falseDiscoveryRate: 'falseDiscoveryRate',
  falseOmissionRate: 'falseOmissionRate',
  falsePositiveRate: 'falsePositiveRate',
  falseNegativeRate: 'falseNegativeRate',
  truePositiveRate: 'truePositiveRate',
  trueNegativeRate: 'trueNegativeRate',
  negativePredictiveValue: 'negativePredictiveValue',
  prevalence: 'prevalence',
} as const;

/** A metric of Aequitas. */
export type AequitasMetric = keyof typeof AEQUITAS_METRICS;

/** Ratio of a metric of a group to that of its reference group. */
export interface AequitasDisparity {
  readonly metric: AequitasMetric;
  readonly reference: string | null;
  readonly ratio: Estimate;
  /** tau <= ratio <= 1/tau; null where undefined. Judged by the point: read the interval too. */
  readonly isFair: boolean | null;
}

/** Conjunctions of Aequitas: false as soon as one part fails, null when none fails and one is unknown. */
export interface AequitasParities {
  readonly statistical: boolean | null;
  readonly impact: boolean | null;
  readonly typeOne: boolean | null;
  readonly typeTwo: boolean | null;
  readonly equalizedOdds: boolean | null;
  readonly supervised: boolean | null;
  readonly unsupervised: boolean | null;
}

/** One group as Aequitas audits it. */
export interface AequitasGroup {
  readonly group: string;
  readonly disparities: readonly AequitasDisparity[];
  readonly parities: AequitasParities;
}

/** How the reference is found: a name, the largest group, or for each metric the group with the least of it. */
export interface AequitasOptions {
  readonly reference: { readonly group: string } | 'majority' | 'min-metric';
  /** Between 0 and 1; 0.8 by default. */
  readonly tau?: number;
  readonly reporting?: Reporting;
}

/**
 * Audit of Aequitas (Saleiro and others, 2018): disparity of every metric to a reference group and the verdicts.
 * Intervals by Katz; for the share of all selected on the log scale with 1/k each, given who was selected.
 * @throws AnalysisInputError when the reference is not among the groups or tau is outside (0, 1].
 */
export function aequitasAudit(groups: readonly GroupCounts[], options: AequitasOptions): AequitasGroup[] {
  const { reference, tau = 0.8, reporting = USUAL } = options;
  if (!(tau > 0 && tau <= 1)) throw new AnalysisInputError('Tau lies between 0 and 1.');
  const wanted = typeof reference === 'string' ? null : reference.group;
  if (wanted !== null && !groups.some(({ group }) => group === wanted)) {
    throw new AnalysisInputError(`'${wanted}' is not among the groups.`);
  }
  const names = Object.keys(AEQUITAS_METRICS) as AequitasMetric[];
  const references = new Map(
    names.map((metric) => [metric, referenceFor(metric, groups, { reference, reporting })] as const),
  );
  return groups.map((group) => {
    const disparities = names.map((metric) =>
      disparityTo(metric, group, references.get(metric) ?? null, { groups, tau, reporting }),
    );
    return { group: group.group, disparities, parities: paritiesOf(disparities) };
  });
}

function valueOf(metric: AequitasMetric, group: GroupCounts, reporting: Reporting): number | null {
  if (metric === 'predictedPositiveRate') return group.n < reporting.smallest ? null : group.selected;
  const share = reportable(proportionOf(AEQUITAS_METRICS[metric], group), reporting);
  return typeof share === 'string' ? null : share.successes / share.n;
}

function referenceFor(
  metric: AequitasMetric,
  groups: readonly GroupCounts[],
  { reference, reporting }: { reference: AequitasOptions['reference']; reporting: Reporting },
): GroupCounts | null {
  if (typeof reference !== 'string') return groups.find(({ group }) => group === reference.group) ?? null;
  const size = (group: GroupCounts): number | null =>
    reference === 'majority' ? -group.n : valueOf(metric, group, reporting);
  return groups.reduce<GroupCounts | null>((least, group) => {
    const own = size(group);
    if (own === null) return least;
    return least === null || own < (size(least) ?? Infinity) ? group : least;
  }, null);
}

function disparityTo(
  metric: AequitasMetric,
  group: GroupCounts,
  reference: GroupCounts | null,
  { groups, tau, reporting }: { groups: readonly GroupCounts[]; tau: number; reporting: Reporting },
): AequitasDisparity {
  if (reference === null) {
    return { metric, reference: null, ratio: unknown(null, 'No group can be the reference.'), isFair: null };
  }
  const own = AEQUITAS_METRICS[metric];
  const ratio =
    own === null
      ? ratioOfSelected(group, reference, groups, reporting)
      : ratioOf(own, group, reference, reporting);
  const isFair = ratio.value === null ? null : tau <= ratio.value && ratio.value <= 1 / tau;
  return { metric, reference: reference.group, ratio, isFair };
}

function ratioOf(
  metric: GroupShare,
  group: GroupCounts,
  reference: GroupCounts,
  reporting: Reporting,
): Estimate {
  const [first, second] = [group, reference].map((one) => reportable(proportionOf(metric, one), reporting));
  if (typeof first !== 'object') return unknown(null, `${group.group}: ${first ?? ''}`);
  if (typeof second !== 'object') return unknown(null, `${reference.group}: ${second ?? ''}`);
  if (group !== reference) return katzRatio(first, second);
  return second.successes === 0 ? katzRatio(first, second) : itself(second);
}

const itself = ({ n }: Proportion): Estimate => ({ value: 1, n, low: 1, high: 1 });

function ratioOfSelected(
  group: GroupCounts,
  reference: GroupCounts,
  groups: readonly GroupCounts[],
  { smallest }: Reporting,
): Estimate {
  const n = groups.reduce((sum, { selected }) => sum + selected, 0);
  const small = [group, reference].find((one) => one.n < smallest);
  if (small !== undefined) return unknown(null, `${small.group}: Fewer than ${String(smallest)} rows.`);
  if (reference.selected === 0) return unknown(n, 'Nobody of the reference group is selected.');
  const value = group.selected / reference.selected;
  if (group === reference) return itself({ successes: n, n });
  // Walter's half for a count of zero, as with the ratio of two shares.
  const shift = group.selected === 0 ? 0.5 : 0;
  const [a, b] = [group.selected + shift, reference.selected + shift];
  const half = twoSidedZ(CONFIDENCE) * Math.sqrt(1 / a + 1 / b);
  return { value, n, low: shift > 0 ? 0 : (a / b) * Math.exp(-half), high: (a / b) * Math.exp(half) };
}

function all(...verdicts: readonly (boolean | null)[]): boolean | null {
  if (verdicts.includes(false)) return false;
  return verdicts.includes(null) ? null : true;
}

function paritiesOf(disparities: readonly AequitasDisparity[]): AequitasParities {
  const of = (metric: AequitasMetric): boolean | null =>
    disparities.find((one) => one.metric === metric)?.isFair ?? null;
  const [statistical, impact] = [of('predictedPositiveRate'), of('predictedPositivePrevalence')];
  const typeOne = all(of('falseDiscoveryRate'), of('falsePositiveRate'));
  const typeTwo = all(of('falseOmissionRate'), of('falseNegativeRate'));
  return {
    statistical,
    impact,
    typeOne,
    typeTwo,
    equalizedOdds: all(of('falsePositiveRate'), of('truePositiveRate')),
    supervised: all(typeOne, typeTwo),
    unsupervised: all(statistical, impact),
  };
}
