import { z } from 'zod';
import { driftBaseline, driftFeature } from '../../kernel/drift-baseline.js';

const name = z.string().min(1).max(300);

/** What is asked of a table of predictions. */
export const predictionsRequest = z.strictObject({
  columns: z.strictObject({
    /** What was decided, as a name; null when the score decides. */
    prediction: name.nullable(),
    score: name.nullable(),
    /** What turned out to be true; null when nobody knows yet. */
    outcome: name.nullable(),
    groups: z.array(name).max(10),
  }),
  /** The value of prediction and outcome that counts as positive; any other is negative. */
  positive: z.string().min(1).max(200),
  /** A score of at least this is a positive prediction, where there is no prediction of its own. */
  threshold: z.number(),
  /** Whether the score is a probability, which can be calibrated, or an order only. */
  isProbability: z.boolean(),
  bins: z.int().min(2).max(50),
  seed: z.int(),
  /** Cells that say that a group is not known. */
  unknown: z.array(z.string().max(200)).max(50),
  /** Pairs of places in `columns.groups`. */
  intersections: z.array(z.tuple([z.int().min(0), z.int().min(0)])).max(10),
  baseline: driftBaseline.nullable(),
  /** Columns to freeze as a baseline; null to freeze none. */
  freeze: z
    .strictObject({
      features: z.array(driftFeature).max(200),
      bins: z.int().min(2).max(100),
      names: z.int().min(1).max(200),
    })
    .nullable(),
});

/** What is asked of a table of predictions. */
export type PredictionsRequest = z.output<typeof predictionsRequest>;
