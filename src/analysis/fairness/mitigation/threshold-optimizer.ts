import { AnalysisInputError } from '../../errors.js';
import { f64 } from '../../numeric/typed.js';
import type { ScoredRows } from '../../performance/validate.js';
import type { GroupCodes } from '../counts.js';
import { bends, crossings, type CurvePoint, type Mixture, mixtureAt, upperHull } from './hull.js';
import { cutsByGroup, type GroupCuts } from './sorted-scores.js';
import { GROUP_AWARE_WARNING } from './warning.js';

/** What shall be equal between groups. */
export type ParityConstraint = 'selectionRate' | 'truePositiveRate' | 'falsePositiveRate' | 'equalizedOdds';

/** How a group is decided: one of two thresholds at random, or, with `ignore`, a constant chance instead. */
export interface GroupRule {
  readonly group: string;
  readonly n: number;
  /** Probability with which each threshold is used; selected are scores of at least it. */
  readonly thresholds: readonly [
    { readonly threshold: number; readonly probability: number },
    { readonly threshold: number; readonly probability: number },
  ];
  /** Probability with which the score is not looked at, and the chance to be selected then. */
  readonly ignore: number;
  readonly constant: number;
  /** Expected rates under the rule; null without positives or negatives. */
  readonly selectionRate: number;
  readonly truePositiveRate: number | null;
  readonly falsePositiveRate: number | null;
  readonly accuracy: number;
}

/** A simulation of group-aware thresholds. */
export interface ThresholdSimulation {
  readonly warning: string;
  readonly constraint: ParityConstraint;
  /** The common value of what was made equal; for equalized odds the common false positive rate. */
  readonly level: number;
  readonly accuracy: number;
  readonly rules: readonly GroupRule[];
}

/**
 * Most accurate thresholds per group under a parity constraint (Hardt, Price and Srebro, 2016), exact: accuracy along
 * the common level is concave and linear between the bends of the hulls, so its maximum is at a bend; no grid.
 * @throws AnalysisInputError for rows that do not fit, and groups without the class whose rate shall be equal.
 */
export function optimizeThresholds(
  codes: GroupCodes,
  rows: ScoredRows,
  constraint: ParityConstraint,
): ThresholdSimulation {
  const groups = cutsByGroup(codes, rows);
  for (const { group, n, positives } of groups) checkClasses(group, n, positives, constraint);
  const { level, rules } =
    constraint === 'equalizedOdds' ? equalizeOdds(groups) : equalizeOne(groups, constraint);
  const n = groups.reduce((sum, group) => sum + group.n, 0);
  const accuracy = rules.reduce((sum, rule) => sum + rule.accuracy * rule.n, 0) / n;
  return { warning: GROUP_AWARE_WARNING, constraint, level, accuracy, rules };
}

function checkClasses(group: string, n: number, positives: number, constraint: ParityConstraint): void {
  const needsPositives = constraint === 'truePositiveRate' || constraint === 'equalizedOdds';
  const needsNegatives = constraint === 'falsePositiveRate' || constraint === 'equalizedOdds';
  if ((needsPositives && positives === 0) || (needsNegatives && positives === n)) {
    throw new AnalysisInputError(`'${group}' has rows of one class only, so its rate is undefined.`);
  }
}

interface Solution {
  readonly level: number;
  readonly rules: readonly GroupRule[];
}

function curveOf(
  { selected, hits, n, positives }: GroupCuts,
  x: (selected: number, hits: number) => number,
  y: 'accuracy' | 'truePositiveRate',
): CurvePoint[] {
  return Array.from(selected, (chosen, cut) => {
    const hit = f64(hits, cut);
    const right = y === 'accuracy' ? (hit + (n - positives) - (chosen - hit)) / n : hit / positives;
    return { x: x(chosen, hit), y: right, cut };
  });
}

function levelOf(
  { n, positives }: GroupCuts,
  constraint: Exclude<ParityConstraint, 'equalizedOdds'>,
): (selected: number, hits: number) => number {
  if (constraint === 'selectionRate') return (selected) => selected / n;
  if (constraint === 'truePositiveRate') return (_, hits) => hits / positives;
  return (selected, hits) => (selected - hits) / (n - positives);
}

function bestOf(levels: readonly number[], value: (level: number) => number): number {
  let [best, top] = [Number.NaN, Number.NEGATIVE_INFINITY];
  for (const level of levels) {
    const own = value(level);
    if (own > top) [best, top] = [level, own];
  }
  return best;
}

function equalizeOne(
  groups: readonly GroupCuts[],
  constraint: Exclude<ParityConstraint, 'equalizedOdds'>,
): Solution {
  const hulls = groups.map((group) => upperHull(curveOf(group, levelOf(group, constraint), 'accuracy')));
  const level = bestOf(bends(hulls), (x) =>
    hulls.reduce((sum, hull, index) => sum + mixtureAt(hull, x).y * (groups[index]?.n ?? 0), 0),
  );
  const rules = groups.map((group, index) => ruleOf(group, mixtureAt(hulls[index] ?? [], level), 0, 0));
  return { level, rules };
}

function equalizeOdds(groups: readonly GroupCuts[]): Solution {
  const hulls = groups.map((group) =>
    upperHull(curveOf(group, levelOf(group, 'falsePositiveRate'), 'truePositiveRate')),
  );
  const positives = groups.reduce((sum, group) => sum + group.positives, 0);
  const negatives = groups.reduce((sum, group) => sum + group.n, 0) - positives;
  const least = (x: number): number => Math.min(...hulls.map((hull) => mixtureAt(hull, x).y));
  const level = bestOf(crossings(hulls), (x) => positives * least(x) + negatives * (1 - x));
  const common = least(level);
  const rules = groups.map((group, index) => {
    const mixture = mixtureAt(hulls[index] ?? [], level);
    // Groups above the common point are drawn down to it by a chance that does not look at the score.
    const above = mixture.y - common;
    return ruleOf(group, mixture, above > 0 ? above / (mixture.y - level) : 0, level);
  });
  return { level, rules };
}

function ruleOf(
  group: GroupCuts,
  { first, second, shareOfFirst }: Mixture,
  ignore: number,
  constant: number,
): GroupRule {
  const { n, positives, thresholds } = group;
  const mixed = (values: Float64Array): number =>
    shareOfFirst * f64(values, first.cut) + (1 - shareOfFirst) * f64(values, second.cut);
  const selected = (1 - ignore) * mixed(group.selected) + ignore * constant * n;
  const hits = (1 - ignore) * mixed(group.hits) + ignore * constant * positives;
  return {
    group: group.group,
    n,
    thresholds: [
      { threshold: f64(thresholds, first.cut), probability: shareOfFirst },
      { threshold: f64(thresholds, second.cut), probability: 1 - shareOfFirst },
    ],
    ignore,
    constant,
    selectionRate: selected / n,
    truePositiveRate: positives === 0 ? null : hits / positives,
    falsePositiveRate: positives === n ? null : (selected - hits) / (n - positives),
    accuracy: (hits + (n - positives) - (selected - hits)) / n,
  };
}
