import { z } from 'zod';
import { driftFeature } from '../../kernel/drift-baseline.js';

const column = z.string().min(1).max(300);

const isOnce = (names: readonly unknown[]): boolean => new Set(names).size === names.length;

/** How a table of predictions is read, as it is asked for. */
export const predictionsInput = z
  .strictObject({
    artifactPath: z.string().min(1).max(1000).nullish().describe('The table as an artifact of the version.'),
    datasetVersionId: z.uuid().nullish().describe('The table as an uploaded version of a data set.'),
    prediction: column.nullish().describe('Column of what was predicted, as a name.'),
    score: column
      .nullish()
      .describe('Column of the score; without a prediction, it decides by the threshold.'),
    outcome: column
      .nullish()
      .describe('Column of what turned out to be true; empty cells are not known yet.'),
    groups: z.array(column).max(5).default([]).describe('Columns that say to which group a person belongs.'),
    positive: z
      .string()
      .trim()
      .min(1)
      .max(200)
      .describe('The value of prediction and outcome that counts as positive; any other is negative.'),
    threshold: z.number().default(0.5),
    scoreIsProbability: z.boolean().default(true).describe('False for a score that only orders rows.'),
    features: z.array(driftFeature).max(200).default([]).describe('Columns that a baseline is frozen of.'),
    freezeBaseline: z
      .boolean()
      .default(false)
      .describe('Freezes features, score and prediction of this table as the baseline of later ones.'),
    baselineId: z.uuid().nullish().describe('The baseline to compare with; by default the newest one.'),
    observedAt: z
      .date()
      .nullish()
      .describe('The time that the rows are from, for the series; by default now.'),
  })
  .refine(
    ({ artifactPath, datasetVersionId }) =>
      (artifactPath ?? null) !== null || (datasetVersionId ?? null) !== null,
    'needs artifactPath or datasetVersionId',
  )
  .refine(
    ({ artifactPath, datasetVersionId }) =>
      (artifactPath ?? null) === null || (datasetVersionId ?? null) === null,
    'takes artifactPath or datasetVersionId, not both',
  )
  .refine(
    ({ prediction, score }) => (prediction ?? score ?? null) !== null,
    'needs prediction, score or both',
  )
  .refine(
    ({ prediction, score, outcome }) =>
      isOnce([prediction, score, outcome].filter((name) => (name ?? null) !== null)),
    'names a column twice',
  )
  .refine(({ groups }) => isOnce(groups), 'names a group twice')
  .refine(({ features }) => isOnce(features.map(({ name }) => name)), 'names a feature twice')
  .refine(
    ({ freezeBaseline, baselineId }) => !freezeBaseline || (baselineId ?? null) === null,
    'freezes a baseline or compares with one, not both',
  )
  .refine(
    ({ freezeBaseline, features }) => freezeBaseline || features.length === 0,
    'names features, which are those of the baseline: set freezeBaseline, or leave them out',
  );

/** How a table of predictions is read, as it is asked for. */
export type PredictionsInput = z.output<typeof predictionsInput>;

/** How a table of predictions is read, as it is stored with the evaluation. */
export interface PredictionsSpec {
  readonly prediction: string | null;
  readonly score: string | null;
  readonly outcome: string | null;
  readonly groups: readonly string[];
  readonly positive: string;
  readonly threshold: number;
  readonly isProbability: boolean;
  readonly freeze: readonly { readonly name: string; readonly kind: 'NUMERIC' | 'CATEGORICAL' }[] | null;
  readonly baselineId: string | null;
  readonly observedAt: string;
}

/** What is stored of what was asked for. */
export const specOf = (input: PredictionsInput, baselineId: string | null, now: Date): PredictionsSpec => ({
  prediction: input.prediction ?? null,
  score: input.score ?? null,
  outcome: input.outcome ?? null,
  groups: input.groups,
  positive: input.positive,
  threshold: input.threshold,
  isProbability: input.scoreIsProbability,
  freeze: input.freezeBaseline ? input.features : null,
  baselineId,
  observedAt: (input.observedAt ?? now).toISOString(),
});
