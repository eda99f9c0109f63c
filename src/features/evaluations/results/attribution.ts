import type { GlobalAttribution } from '../../../analysis/index.js';
import type { EvaluationPolicy } from '../evaluation-policy.js';
import { suite } from '../evaluation-policy.js';
import type { AttributionRow, EvidenceResult, Figure } from '../evidence-result.js';
import { judge } from '../judge.js';
import { counted } from './estimates.js';
import type { MeasuredDataset } from './performance.js';

/** What the contributions were computed over and against. */
export interface AttributionBasis {
  readonly sampleRows: number;
  readonly baseProbability: number;
  readonly backgroundSha256: string;
  readonly backgroundRows: number;
  /** Names that the manifest excludes. */
  readonly excluded: readonly string[];
  /** Name → label of the inputs. */
  readonly labels: ReadonlyMap<string, string>;
}

const rowsOf = (
  summary: readonly GlobalAttribution[],
  labels: ReadonlyMap<string, string>,
): AttributionRow[] => {
  const total = summary.reduce((sum, { mean }) => sum + mean, 0);
  return summary
    .map(({ player, mean, standardError, n }) => ({
      player,
      label: labels.get(player) ?? player,
      mean,
      standardError,
      share: total === 0 ? 0 : mean / total,
      n,
    }))
    .toSorted((a, b) => b.mean - a.mean);
};

const figuresOf = (rows: readonly AttributionRow[], basis: AttributionBasis): Figure[] => {
  const n = basis.sampleRows;
  const total = rows.reduce((sum, { mean }) => sum + mean, 0);
  const errors = rows.map(({ standardError }) => standardError ?? Number.NaN);
  const relativeError = Math.max(...errors) / total;
  const known = Number.isFinite(relativeError);
  const used = rows.filter(({ player, mean }) => basis.excluded.includes(player) && mean > 0).length;
  return [
    { name: 'rows', label: 'Explained rows', ...counted(n) },
    { name: 'largestShare', label: 'Share of the strongest input', ...counted(rows[0]?.share ?? null, n) },
    {
      name: 'relativeError',
      label: 'Largest standard error over the sum of mean contributions',
      ...counted(
        known ? relativeError : null,
        n,
        known ? null : 'Fewer than two rows, or no contribution at all.',
      ),
    },
    { name: 'excludedInputs', label: 'Excluded inputs that contribute', ...counted(used, rows.length) },
    {
      name: 'baseProbability',
      label: 'Mean probability over the background',
      ...counted(basis.baseProbability, basis.backgroundRows),
    },
  ];
};

/** Evidence of global attribution: mean size of the exact Shapley values over a drawn sample, with standard errors. */
export const attributionResult = (
  summary: readonly GlobalAttribution[],
  dataset: MeasuredDataset,
  policy: EvaluationPolicy,
  basis: AttributionBasis,
): EvidenceResult => {
  const attribution = rowsOf(summary, basis.labels);
  const figures = figuresOf(attribution, basis);
  return {
    schema: 'countersign.evidence/1',
    suite,
    kind: 'ATTRIBUTION',
    dataset,
    basis: {
      method: 'exact interventional Shapley values of the calibrated probability',
      sampleRows: basis.sampleRows,
      seed: policy.seed,
      backgroundSha256: basis.backgroundSha256,
      backgroundRows: basis.backgroundRows,
    },
    figures,
    checks: judge(figures, policy.checks.ATTRIBUTION),
    reliability: [],
    groups: [],
    comparisons: [],
    fourFifths: [],
    attribution,
    notes: [
      'A contribution says what an input moved in this model, against this background; it is not what causes income.',
      'Each row was checked: base plus contributions equals the prediction to nine digits.',
    ],
  };
};
