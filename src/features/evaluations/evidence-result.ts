import { z } from 'zod';

/** A number with its interval and sample size, or no number with the reason. Undefined is never zero. */
const estimate = {
  value: z.number().nullable(),
  low: z.number().nullable(),
  high: z.number().nullable(),
  n: z.number().nullable(),
  reason: z.string().nullable(),
};

const figure = z.strictObject({ name: z.string(), label: z.string(), ...estimate });

const check = z.strictObject({
  figure: z.string(),
  label: z.string(),
  value: z.number().nullable(),
  comparison: z.enum(['AT_LEAST', 'AT_MOST']),
  limit: z.number(),
  mode: z.enum(['ENFORCE', 'WARN']),
  verdict: z.enum(['PASS', 'FAIL', 'MISSING']),
  why: z.string(),
});

const reliabilityBin = z.strictObject({
  from: z.number(),
  to: z.number(),
  n: z.number(),
  predicted: z.number().nullable(),
  observed: z.number().nullable(),
  low: z.number().nullable(),
  high: z.number().nullable(),
});

const groupFigure = z.strictObject({
  attribute: z.string(),
  group: z.string(),
  metric: z.string(),
  ...estimate,
});

const comparison = z.strictObject({
  attribute: z.string(),
  group: z.string(),
  reference: z.string(),
  metric: z.string(),
  difference: z.number().nullable(),
  differenceLow: z.number().nullable(),
  differenceHigh: z.number().nullable(),
  ratio: z.number().nullable(),
  ratioLow: z.number().nullable(),
  ratioHigh: z.number().nullable(),
  n: z.number().nullable(),
  test: z.string().nullable(),
  pValue: z.number().nullable(),
  adjustedPValue: z.number().nullable(),
  reason: z.string().nullable(),
});

const fourFifths = z.strictObject({
  attribute: z.string(),
  group: z.string(),
  highest: z.string(),
  ratio: z.number().nullable(),
  low: z.number().nullable(),
  high: z.number().nullable(),
  n: z.number().nullable(),
  verdict: z.string(),
  reason: z.string().nullable(),
});

const attribution = z.strictObject({
  player: z.string(),
  label: z.string(),
  mean: z.number(),
  standardError: z.number().nullable(),
  share: z.number(),
  n: z.number(),
});

/** How far one column has moved. Distances that do not apply have no value, and `reason` says why. */
const drift = z.strictObject({
  column: z.string(),
  kind: z.enum(['NUMERIC', 'CATEGORICAL']),
  rows: z.number(),
  missing: z.number(),
  missingBefore: z.number(),
  unseen: z.number(),
  psi: z.number().nullable(),
  psiThreshold: z.number().nullable(),
  psiPValue: z.number().nullable(),
  adjustedPValue: z.number().nullable(),
  jensenShannon: z.number().nullable(),
  hellinger: z.number().nullable(),
  kolmogorovLow: z.number().nullable(),
  kolmogorovHigh: z.number().nullable(),
  wasserstein: z.number().nullable(),
  wassersteinLow: z.number().nullable(),
  wassersteinHigh: z.number().nullable(),
  chiSquarePValue: z.number().nullable(),
  drifted: z.boolean(),
  reason: z.string().nullable(),
});

/** What evidence holds: figures, the checks on them, and tables that a chart can take. Empty tables do not apply. */
export const evidenceResult = z.strictObject({
  schema: z.literal('countersign.evidence/1'),
  suite: z.string(),
  kind: z.enum(['PERFORMANCE', 'FAIRNESS', 'ATTRIBUTION', 'DRIFT']),
  dataset: z.strictObject({ name: z.string(), path: z.string(), sha256: z.string(), rows: z.number() }),
  /** Fixed choices that the figures rest on: threshold, seed, sample, background. */
  basis: z.record(z.string(), z.union([z.string(), z.number()])),
  figures: z.array(figure),
  checks: z.array(check),
  reliability: z.array(reliabilityBin),
  groups: z.array(groupFigure),
  comparisons: z.array(comparison),
  fourFifths: z.array(fourFifths),
  attribution: z.array(attribution),
  /** Only in evidence of drift. */
  drift: z.array(drift).optional(),
  /** What a reader must know to read the figures rightly. */
  notes: z.array(z.string()),
});

/** What evidence holds. */
export type EvidenceResult = z.output<typeof evidenceResult>;
/** A named number. */
export type Figure = z.output<typeof figure>;
/** A figure beside its limit. */
export type CheckResult = z.output<typeof check>;
/** One metric of one group. */
export type GroupFigure = z.output<typeof groupFigure>;
/** One metric of a group beside that of the reference group. */
export type GroupComparison = z.output<typeof comparison>;
/** A selection rate beside the highest one. */
export type FourFifths = z.output<typeof fourFifths>;
/** Mean contribution of one input. */
export type AttributionRow = z.output<typeof attribution>;
/** How far one column has moved. */
export type DriftRow = z.output<typeof drift>;
/** Predicted against observed. */
export type ReliabilityRow = z.output<typeof reliabilityBin>;

/**
 * The tables of evidence. What was submitted from outside in another form has none, and says so; its document stays
 * as it was sent.
 */
export const readResult = (kind: EvidenceResult['kind'], stored: unknown): EvidenceResult => {
  const parsed = evidenceResult.safeParse(stored);
  if (parsed.success) return parsed.data;
  return {
    schema: 'countersign.evidence/1',
    suite: 'unknown',
    kind,
    dataset: { name: 'unknown', path: 'unknown', sha256: 'unknown', rows: 0 },
    basis: {},
    figures: [],
    checks: [],
    reliability: [],
    groups: [],
    comparisons: [],
    fourFifths: [],
    attribution: [],
    notes: ['This evidence was submitted in a form whose figures cannot be shown here.'],
  };
};
