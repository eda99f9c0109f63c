import type { ExplainRequest, ExplainResult } from '../../../compute/ensemble/explain.js';
import type { EnsembleSource } from '../../../compute/ensemble/open-ensemble.js';
import type { ScoreResult } from '../../../compute/ensemble/score.js';
import type { EnsembleManifest } from '../../../kernel/ensemble-manifest.js';
import type { JobContext } from '../../../kernel/job.js';
import type { RowExplanation } from '../agents/explanation.js';
import type { CounterfactualChange } from '../agents/run-facts.js';
import type { RowScore } from '../agents/scoring.js';
import { valuesOf, type InputValues } from '../application.js';
import type { DecisionPolicy } from '../policy.js';
import type { Runnable } from './run.js';

/** What calculating needs of a job. */
export type ComputeContext = Pick<JobContext<unknown>, 'outside' | 'signal'>;

const timeoutMs = 30_000;

const rowsOf = (manifest: EnsembleManifest, cases: readonly InputValues[]) => ({
  rows: cases.length,
  values: Float32Array.from(cases.flatMap((values) => valuesOf(manifest, values))),
});

/** Scores many cases in one go. */
export const scoreCases = async (
  { outside, signal }: ComputeContext,
  { source, manifest }: Runnable<EnsembleSource>,
  cases: readonly InputValues[],
): Promise<RowScore[]> => {
  const input = rowsOf(manifest, cases);
  const result = await outside.compute.run<ScoreResult>(
    'ensemble.score',
    { source, input },
    { timeoutMs, signal },
  );
  const at = (values: Float64Array, row: number): number => values[row] ?? Number.NaN;
  return cases.map((_, row) => ({
    probability: at(result.probability, row),
    vote: at(result.vote, row),
    disagreement: at(result.disagreement, row),
    runtimeGap: at(result.runtimeGap, row),
    members: result.members.map(({ name, probability }) => ({ name, probability: at(probability, row) })),
  }));
};

/** Explains many cases in one go, all under the same policy. */
export const explainCases = async (
  { outside, signal }: ComputeContext,
  { source, manifest }: Runnable<EnsembleSource>,
  policy: DecisionPolicy,
  cases: readonly InputValues[],
): Promise<RowExplanation[]> => {
  const request: ExplainRequest = {
    source,
    input: rowsOf(manifest, cases),
    backgroundRows: policy.explanation.backgroundRows,
    counterfactuals: questionOf(manifest, policy),
  };
  const result = await outside.compute.run<ExplainResult>('ensemble.explain', request, { timeoutMs, signal });
  const width = result.inputs.length;
  return cases.map((_, row) => {
    const search = result.counterfactuals[row];
    return {
      base: result.base,
      probability: result.probability[row] ?? Number.NaN,
      backgroundRows: result.backgroundRows,
      contributions: [...result.contributions.subarray(row * width, (row + 1) * width)],
      counterfactuals: (search?.found ?? []).map(({ changes, probability }) => ({
        changes: changes.map((change) => named(manifest, change)),
        probability,
      })),
      isSearchComplete: search?.isComplete ?? false,
    };
  });
};

const questionOf = (
  manifest: EnsembleManifest,
  { explanation }: DecisionPolicy,
): ExplainRequest['counterfactuals'] => {
  const { limit, budget, inputs } = explanation.counterfactuals;
  if (limit === 0) return null;
  const rules = manifest.inputs.map((input) => {
    const rule = inputs[input.name];
    return rule && input.kind === 'numeric' ? rule : { change: 'fixed' as const, scale: 1 };
  });
  return { rules, threshold: manifest.target.threshold, limit, budget };
};

/** Numbers as they are, places of categories by their name. */
const named = (
  { inputs }: EnsembleManifest,
  { name, from, to }: { name: string; from: number; to: number },
): CounterfactualChange['changes'][number] => {
  const input = inputs.find((candidate) => candidate.name === name);
  if (input?.kind !== 'categorical') return { name, from, to };
  const category = (place: number): string => input.categories[place] ?? '';
  return { name, from: category(from), to: category(to) };
};
