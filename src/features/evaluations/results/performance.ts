import type { PerformanceReport } from '../../../analysis/index.js';
import type { EvaluationPolicy } from '../evaluation-policy.js';
import { suite } from '../evaluation-policy.js';
import type { EvidenceResult, Figure, ReliabilityRow } from '../evidence-result.js';
import { judge } from '../judge.js';
import { counted, labelOf, numbersOf } from './estimates.js';

/** The rows that were measured. */
export type MeasuredDataset = EvidenceResult['dataset'];

const measured = [
  'accuracy',
  'areaUnderCurve',
  'brier',
  'logLoss',
  'calibrationError',
  'truePositiveRate',
  'falsePositiveRate',
  'precision',
  'selectionRate',
  'prevalence',
] as const;

const confusionLabels = {
  truePositives: 'True positives',
  falsePositives: 'False positives',
  falseNegatives: 'False negatives',
  trueNegatives: 'True negatives',
} as const;

const figuresOf = (report: PerformanceReport): Figure[] => [
  { name: 'rows', label: 'Rows', ...counted(report.n) },
  ...measured.map((name) => ({ name, label: labelOf(name), ...numbersOf(report[name]) })),
  ...Object.entries(confusionLabels).map(([name, label]) => ({
    name,
    label,
    ...counted(report.confusion[name as keyof typeof confusionLabels], report.n),
  })),
];

const reliabilityOf = (report: PerformanceReport): ReliabilityRow[] =>
  report.reliability.map(({ from, to, n, predicted, observed }) => {
    const { value, low, high } = numbersOf(observed);
    return { from, to, n, predicted, observed: value, low, high };
  });

/** Evidence of performance: every figure with n and a 95 % interval. */
export const performanceResult = (
  report: PerformanceReport,
  dataset: MeasuredDataset,
  policy: EvaluationPolicy,
  runtimeGap: number,
): EvidenceResult => {
  const figures = [
    ...figuresOf(report),
    {
      name: 'runtimeGap',
      label: 'Largest difference between our scoring and onnxruntime',
      ...counted(runtimeGap, report.n),
    },
  ];
  return {
    schema: 'countersign.evidence/1',
    suite,
    kind: 'PERFORMANCE',
    dataset,
    basis: { threshold: report.threshold, bins: policy.bins, seed: policy.seed, confidence: 0.95 },
    figures,
    checks: judge(figures, policy.checks.PERFORMANCE),
    reliability: reliabilityOf(report),
    groups: [],
    comparisons: [],
    fourFifths: [],
    attribution: [],
    notes: [
      'Intervals are 95 %: Wilson for shares, normal for means, DeLong for the area under the curve, bootstrap for the calibration error.',
      "The figures hold for rows like those measured; how today's rows differ is for drift to say.",
    ],
  };
};
