import type { EnsembleManifest } from '../../../kernel/ensemble-manifest.js';
import type { InputValues } from '../application.js';
import type { ScoringOutput } from './run-facts.js';

/** What the ensemble said of one row. */
export interface RowScore {
  readonly probability: number;
  readonly vote: number;
  readonly disagreement: number;
  readonly runtimeGap: number;
  readonly members: readonly { readonly name: string; readonly probability: number }[];
}

/** Puts the ensemble's score beside how usual the application is. */
export const scoringAgent = (
  inputs: InputValues,
  score: RowScore,
  manifest: EnsembleManifest,
): ScoringOutput => ({
  ...score,
  threshold: manifest.target.threshold,
  surprise: surpriseOf(inputs, manifest),
  surpriseThreshold: manifest.outOfDistribution.threshold,
  outOfRange: outOfRange(inputs, manifest),
});

type Bins = EnsembleManifest['outOfDistribution']['inputs'][number];

/** Sum over the inputs of -ln(frequency of the bin), after the manifest's own description. */
export const surpriseOf = (inputs: InputValues, { outOfDistribution }: EnsembleManifest): number =>
  outOfDistribution.inputs.reduce((sum, bins) => sum - Math.log(frequencyOf(bins, inputs[bins.name])), 0);

/** A number x falls into bin k when exactly k edges are smaller than x. A bin that does not exist was never seen. */
const frequencyOf = (bins: Bins, value: number | string | undefined): number => {
  const place =
    bins.kind === 'numeric'
      ? bins.edges.filter((edge) => edge < Number(value)).length
      : bins.categories.indexOf(String(value));
  return bins.frequencies[place] ?? Number.MIN_VALUE;
};

const outOfRange = (inputs: InputValues, { outOfDistribution }: EnsembleManifest): string[] =>
  outOfDistribution.ranges
    .filter(({ name, min, max }) => Number(inputs[name]) < min || Number(inputs[name]) > max)
    .map(({ name }) => name);
