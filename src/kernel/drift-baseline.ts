import { z } from 'zod';

/*
 * A frozen baseline as it is stored, and counts on it. Both come out of a process that read a stranger's file, so they
 * are checked wherever they come in.
 */

const count = z.int().min(0);
const number = z.number().nullable();

/** Rows per bin of one column. */
export const driftCounts = z.strictObject({
  bins: z.array(count).min(1).max(1000),
  missing: count,
  infinite: count,
  low: number,
  high: number,
});

const numericBins = z.strictObject({
  kind: z.literal('NUMERIC'),
  edges: z.array(z.number()).min(1).max(999),
});
const categoricalBins = z.strictObject({
  kind: z.literal('CATEGORICAL'),
  categories: z.array(z.string().max(200)).max(200),
});

/** A column, how it is cut, and how many rows of the reference each bin holds. */
export const baselineColumn = z.strictObject({
  name: z.string().min(1).max(300),
  bins: z.discriminatedUnion('kind', [numericBins, categoricalBins]),
  counts: driftCounts,
});

/** A column of a baseline. */
export type BaselineColumn = z.output<typeof baselineColumn>;

/** Scores of the reference beside what they turned out to mean: points of a rising line. */
export const calibrationMap = z.strictObject({
  scores: z.array(z.number()).min(1).max(10_000),
  probabilities: z.array(z.number().min(0).max(1)).min(1).max(10_000),
});

/** A baseline, frozen. */
export const driftBaseline = z.strictObject({
  schema: z.literal('countersign.drift-baseline/1'),
  rows: count,
  columns: z.array(baselineColumn).min(1).max(210),
  /** What outcomes are expected to be where they are not known; null without scores and outcomes in the reference. */
  calibration: calibrationMap.nullable(),
});

/** A baseline, frozen. */
export type DriftBaseline = z.output<typeof driftBaseline>;

/** Counts of one period on the columns of a baseline, by name. */
export const driftWindow = z
  .array(z.strictObject({ name: z.string().max(300), counts: driftCounts }))
  .max(210);

/** Counts of one period. */
export type DriftWindow = z.output<typeof driftWindow>;

/** A column that drift looks at. */
export const driftFeature = z.strictObject({
  name: z.string().min(1).max(300),
  kind: z.enum(['NUMERIC', 'CATEGORICAL']),
});

/** A column that drift looks at. */
export type DriftFeature = z.output<typeof driftFeature>;
