import type { Estimate } from '../../../analysis/index.js';
import type { MeasuredPredictions } from '../../../compute/predictions/index.js';
import type { EvaluationPolicy } from '../evaluation-policy.js';
import { submittedSuite } from '../evaluation-policy.js';
import type { EvidenceResult, Figure, ReliabilityRow } from '../evidence-result.js';
import { judge } from '../judge.js';
import { counted, labelOf, numbersOf } from '../results/estimates.js';
import { fairnessResult } from '../results/fairness.js';
import { submittedNotes, type Submitted } from '../results/submitted.js';

const basisOf = ({ spec, submittedBy }: Submitted, policy: EvaluationPolicy): EvidenceResult['basis'] => ({
  provenance: 'SUBMITTED',
  submittedBy,
  positive: spec.positive,
  threshold: spec.threshold,
  ...(spec.prediction === null ? {} : { prediction: spec.prediction }),
  ...(spec.score === null ? {} : { score: spec.score }),
  ...(spec.outcome === null ? {} : { outcome: spec.outcome }),
  seed: policy.seed,
  confidence: 0.95,
});

const shares = ['accuracy', 'truePositiveRate', 'falsePositiveRate', 'precision', 'prevalence'] as const;
const ofScores = ['areaUnderCurve', 'brier', 'logLoss', 'calibrationError'] as const;

const named = (name: string, label: string, estimate: Estimate): Figure => ({
  name,
  label,
  ...numbersOf(estimate),
});
const absent = (name: string, label: string, reason: string): Figure => ({
  name,
  label,
  ...counted(null, null, reason),
});

/** Accuracy beyond always giving the more frequent answer. */
const gainOf = ({ accuracy, prevalence }: NonNullable<MeasuredPredictions['decisions']>): Figure => {
  const name = 'accuracyGain';
  const label = 'Accuracy beyond always giving the more frequent answer';
  if (accuracy.value === null || prevalence.value === null) return absent(name, label, 'No rows to count.');
  const constant = Math.max(prevalence.value, 1 - prevalence.value);
  return {
    ...{ name, label, value: accuracy.value - constant, n: accuracy.n, reason: null },
    ...{ low: accuracy.low - constant, high: accuracy.high - constant },
  };
};

const scoreFigures = ({ scores, decisions }: MeasuredPredictions): Figure[] => {
  const reason = decisions ? 'There are no scores, only predictions.' : 'No outcome is known.';
  return ofScores.map((name) =>
    scores ? named(name, labelOf(name), scores[name]) : absent(name, labelOf(name), reason),
  );
};

const decisionFigures = (measured: MeasuredPredictions): Figure[] => {
  const { decisions } = measured;
  if (!decisions) {
    return [...shares, 'accuracyGain'].map((name) => absent(name, labelOf(name), 'No outcome is known.'));
  }
  const { confusion } = decisions;
  return [
    ...shares.map((name) => named(name, labelOf(name), decisions[name])),
    gainOf(decisions),
    { name: 'truePositives', label: 'True positives', ...counted(confusion.truePositives, decisions.n) },
    { name: 'falsePositives', label: 'False positives', ...counted(confusion.falsePositives, decisions.n) },
    { name: 'falseNegatives', label: 'False negatives', ...counted(confusion.falseNegatives, decisions.n) },
    { name: 'trueNegatives', label: 'True negatives', ...counted(confusion.trueNegatives, decisions.n) },
  ];
};

const ofExpected = [
  'accuracy',
  'precision',
  'truePositiveRate',
  'falsePositiveRate',
  'areaUnderCurve',
] as const;

const expectedFigures = ({ expected, expectedGroups }: MeasuredPredictions): Figure[] => {
  if (!expected) return [];
  const groups = expectedGroups.flatMap(({ attribute, group, performance, reason }) =>
    (['accuracy', 'truePositiveRate', 'falsePositiveRate'] as const).map((name) => {
      const label = `${labelOf(name)} of ${group} (${attribute}), expected without outcomes`;
      const key = `expected.${attribute}.${group}.${name}`;
      return performance
        ? named(key, label, performance[name])
        : absent(key, label, reason ?? 'Too few rows.');
    }),
  );
  const whole = ofExpected.map((name) =>
    named(`expected.${name}`, `${labelOf(name)}, expected without outcomes`, expected[name]),
  );
  return [...whole, ...groups];
};

const reliabilityOf = ({ scores }: MeasuredPredictions): ReliabilityRow[] =>
  (scores?.reliability ?? []).map(({ from, to, n, predicted, observed }) => {
    const { value, low, high } = numbersOf(observed);
    return { from, to, n, predicted, observed: value, low, high };
  });

const empty = { groups: [], comparisons: [], fourFifths: [], attribution: [] };

/** Evidence of performance from predictions that were sent; without outcomes only what is expected, and said so. */
export const submittedPerformance = (
  measured: MeasuredPredictions,
  about: Submitted,
  policy: EvaluationPolicy,
): EvidenceResult => {
  const known = measured.rows - measured.withoutOutcome;
  const { exactMatch } = measured;
  const figures = [
    known > 0
      ? { name: 'rows', label: 'Rows whose outcome is known', ...counted(known) }
      : absent('rows', 'Rows whose outcome is known', 'No outcome is known.'),
    {
      name: 'withoutOutcome',
      label: 'Rows whose outcome is not known',
      ...counted(measured.withoutOutcome, measured.rows),
    },
    named('selectionRate', labelOf('selectionRate'), measured.selectionRate),
    ...(exactMatch ? [named('exactMatch', 'Prediction and outcome are the same name', exactMatch)] : []),
    ...decisionFigures(measured),
    ...scoreFigures(measured),
    ...expectedFigures(measured),
  ];
  return {
    schema: 'countersign.evidence/1',
    suite: submittedSuite,
    kind: 'PERFORMANCE',
    dataset: about.dataset,
    basis: { ...basisOf(about, policy), bins: policy.bins },
    figures,
    checks: judge(figures, policy.submitted.PERFORMANCE),
    reliability: reliabilityOf(measured),
    ...empty,
    notes: [
      ...submittedNotes(about),
      'Intervals are 95 %: Wilson for shares, normal for means, DeLong for the area under the curve, bootstrap for the calibration error.',
      ...(measured.withoutOutcome > 0 && known > 0
        ? [
            'Rows whose outcome is known may not be like the others: often it is known only of those who were selected.',
          ]
        : []),
      ...(measured.expected
        ? [
            'What is expected without outcomes follows from the calibration of the baseline (CBPE). It holds while a score means what it meant there, and cannot see when that changes.',
          ]
        : []),
    ],
  };
};

const valuesOf = (figures: readonly Figure[], suffix: string): Figure[] =>
  figures.filter(({ name, value }) => name.endsWith(suffix) && value !== null);

/** The worst figure over all attributes, under a name that no attribute is part of. */
const worst = (figures: readonly Figure[], suffix: string, most: 'largest' | 'smallest'): Figure => {
  const side = most === 'largest' ? -1 : 1;
  const found = valuesOf(figures, suffix).toSorted((a, b) => side * ((a.value ?? 0) - (b.value ?? 0)))[0];
  const name = `${suffix.slice(1)}.${most}`;
  return found
    ? { ...found, name }
    : absent(
        name,
        `${most} of ${suffix.slice(1)}`,
        'No two groups are large enough, or no outcome is known.',
      );
};

/** Evidence of fairness from predictions that were sent. */
export const submittedFairness = (
  measured: MeasuredPredictions,
  about: Submitted,
  policy: EvaluationPolicy,
): EvidenceResult => {
  const plain = { ...policy, checks: { ...policy.checks, FAIRNESS: [] } };
  const basis = { threshold: about.spec.threshold, missing: [] };
  const result = fairnessResult(measured.fairness, about.dataset, plain, basis);
  const figures = [
    ...result.figures,
    worst(result.figures, '.truePositiveRate.difference', 'largest'),
    worst(result.figures, '.falsePositiveRate.difference', 'largest'),
    worst(result.figures, '.selectionRate.ratio', 'smallest'),
  ];
  return {
    ...result,
    suite: submittedSuite,
    basis: { ...result.basis, ...basisOf(about, policy) },
    figures,
    checks: judge(figures, policy.submitted.FAIRNESS),
    notes: [...submittedNotes(about), ...result.notes],
  };
};
