import type { Estimate, FairnessReport, GroupReport, Test } from '../../../analysis/index.js';
import { GROUP_METRICS, SMALLEST_GROUP } from '../../../analysis/index.js';
import type { EvaluationPolicy } from '../evaluation-policy.js';
import { suite } from '../evaluation-policy.js';
import type { EvidenceResult, Figure, FourFifths, GroupComparison, GroupFigure } from '../evidence-result.js';
import { judge } from '../judge.js';
import { counted, labelOf, numbersOf } from './estimates.js';
import type { MeasuredDataset } from './performance.js';

const spreadsOf = ({ attribute, disparities }: FairnessReport): Figure[] =>
  disparities.flatMap(({ metric, difference, ratio, highest, lowest }) => {
    const between = highest === null || lowest === null ? '' : ` (${lowest} to ${highest})`;
    const label = `${labelOf(metric)} by ${attribute}`;
    return [
      {
        name: `${attribute}.${metric}.difference`,
        label: `${label}: largest difference${between}`,
        ...numbersOf(difference),
      },
      {
        name: `${attribute}.${metric}.ratio`,
        label: `${label}: smallest ratio${between}`,
        ...numbersOf(ratio),
      },
    ];
  });

const sizeOf = (estimate: Estimate): number => (estimate.value === null ? -1 : Math.abs(estimate.value));

/** The group whose probabilities are furthest from its outcomes on average. */
const worstCalibrated = ({ attribute, groups }: FairnessReport): Figure => {
  const name = `${attribute}.overestimate.largest`;
  const label = `Mean overestimate by ${attribute}: largest in size`;
  const worst = groups.toSorted((a, b) => sizeOf(b.overestimate) - sizeOf(a.overestimate))[0];
  if (!worst || worst.overestimate.value === null) {
    return { name, label, ...counted(null, null, 'No group is large enough.') };
  }
  const { value, low, high, n } = worst.overestimate;
  const isNegative = value < 0;
  const bounds = isNegative ? { low: -high, high: -low } : { low, high };
  const side = isNegative ? 'too low' : 'too high';
  return {
    name,
    label: `${label} (${worst.group}, ${side})`,
    value: Math.abs(value),
    ...bounds,
    n,
    reason: null,
  };
};

const rowsLeftOut = ({ attribute, unknown, n }: FairnessReport): Figure => ({
  name: `${attribute}.unknown`,
  label: `Rows without a known ${attribute}`,
  ...counted(unknown, n + unknown),
});

const groupFigures = (attribute: string, report: GroupReport): GroupFigure[] => {
  const { group, counts, metrics } = report;
  const hidden =
    counts.n === null ? 'Hidden: from 1 to 10 rows, or another count would follow from it.' : null;
  return [
    { attribute, group, metric: 'rows', ...counted(counts.n, counts.n, hidden) },
    ...GROUP_METRICS.map((metric) => ({ attribute, group, metric, ...numbersOf(metrics[metric]) })),
    { attribute, group, metric: 'brier', ...numbersOf(report.brier) },
    { attribute, group, metric: 'overestimate', ...numbersOf(report.overestimate) },
  ];
};

const pValueOf = (test: Test): number | null => (test.method === null ? null : test.pValue);

const comparisonsOf = ({ attribute, comparisons }: FairnessReport): GroupComparison[] =>
  comparisons.map(({ group, reference, metric, difference, ratio, test, adjustedPValue }) => {
    const [gap, quotient] = [numbersOf(difference), numbersOf(ratio)];
    return {
      attribute,
      group,
      reference,
      metric,
      difference: gap.value,
      differenceLow: gap.low,
      differenceHigh: gap.high,
      ratio: quotient.value,
      ratioLow: quotient.low,
      ratioHigh: quotient.high,
      n: gap.n,
      test: test.method,
      pValue: pValueOf(test),
      adjustedPValue,
      reason: gap.reason,
    };
  });

const fourFifthsOf = ({ attribute, fourFifths }: FairnessReport): FourFifths[] => {
  const { highest, rows, excluded } = fourFifths;
  if (highest === null) return [];
  const judged = rows.map(({ group, ratio, verdict }) => {
    const { value, low, high, n, reason } = numbersOf(ratio);
    return { attribute, group, highest, ratio: value, low, high, n, verdict, reason };
  });
  const left = excluded.map(({ group, reason }) => ({
    ...{ attribute, group, highest, ratio: null, low: null, high: null, n: null },
    verdict: 'unknown',
    reason,
  }));
  return [...judged, ...left];
};

const byName = <Row extends { group: string }>(rows: readonly Row[]): Row[] =>
  rows.toSorted((a, b) => (a.group < b.group ? -1 : 1));

const notesOf = (reports: readonly FairnessReport[], missing: readonly string[]): string[] => [
  ...missing.map(
    (attribute) => `The data set has no column ${attribute}: nothing is known about these groups.`,
  ),
  `Shares of fewer than ${String(SMALLEST_GROUP)} rows are not reported; numbers of rows from 1 to 10 are hidden, and others with them so that the total does not give them away. This is not anonymity: a share times its n gives the count behind it.`,
  'Selected means that the predicted probability reaches the threshold. The groups are known to this evaluation only; no model reads them.',
  'p-values are corrected by Holm for all comparisons of an attribute. Differences over several groups are larger than true ones because the extremes are picked; the intervals are by bootstrap, with half a row added on each side for a group of which none or all count.',
  ...reports.map(
    ({ attribute, reference, n }) =>
      `By ${attribute}: ${n.toLocaleString('en-US')} rows, compared with ${reference ?? 'nobody'}, the largest group.`,
  ),
];

/** Evidence of fairness between the groups of each attribute and of their intersections. */
export const fairnessResult = (
  reports: readonly FairnessReport[],
  dataset: MeasuredDataset,
  policy: EvaluationPolicy,
  basis: { threshold: number; missing: readonly string[] },
): EvidenceResult => {
  const figures = [
    { name: 'rows', label: 'Rows', ...counted(dataset.rows) },
    ...reports.flatMap((report) => [...spreadsOf(report), worstCalibrated(report), rowsLeftOut(report)]),
  ];
  return {
    schema: 'countersign.evidence/1',
    suite,
    kind: 'FAIRNESS',
    dataset,
    basis: { threshold: basis.threshold, seed: policy.seed, confidence: 0.95, smallestGroup: SMALLEST_GROUP },
    figures,
    checks: judge(figures, policy.checks.FAIRNESS),
    reliability: [],
    groups: reports.flatMap((report) =>
      byName(report.groups).flatMap((group) => groupFigures(report.attribute, group)),
    ),
    comparisons: reports.flatMap(comparisonsOf),
    fourFifths: reports.flatMap(fourFifthsOf),
    attribution: [],
    notes: notesOf(reports, basis.missing),
  };
};
