import { globalAttribution, type GlobalAttribution } from '../../../analysis/index.js';
import type {
  ExplainRequest,
  ExplainResult,
  Measured,
  MeasureInput,
} from '../../../compute/evaluation/index.js';
import type { JobContext } from '../../../kernel/job.js';
import type { Artifact } from '../../registry/index.js';
import type { EvaluationPolicy } from '../evaluation-policy.js';
import type { EvidenceResult } from '../evidence-result.js';
import { attributionResult } from '../results/attribution.js';
import { fairnessResult } from '../results/fairness.js';
import { performanceResult } from '../results/performance.js';
import { joined } from './columns.js';
import type { LoadedEnsemble } from './load-source.js';
import { scoreDataset, type ScoredDataset } from './score-dataset.js';

type Context = Pick<JobContext<unknown>, 'outside' | 'signal' | 'progress'>;

const measureTimeoutMs = 300_000;
const rangeRows = 40;
const rangeTimeoutMs = 120_000;

const measure = (
  { outside, signal }: Context,
  { manifest }: LoadedEnsemble,
  { labels, probabilities, groups }: ScoredDataset,
  policy: EvaluationPolicy,
): Promise<Measured> => {
  const placeOf = (attribute: string): number => groups.findIndex((group) => group.attribute === attribute);
  const input: MeasureInput = {
    labels,
    probabilities,
    groups,
    threshold: manifest.target.threshold,
    bins: policy.bins,
    seed: policy.seed,
    intersections: policy.intersections.map(([one, other]) => [placeOf(one), placeOf(other)] as const),
  };
  return outside.compute.run<Measured>('evaluation.measure', input, { timeoutMs: measureTimeoutMs, signal });
};

interface GlobalContributions {
  readonly summary: readonly GlobalAttribution[];
  readonly base: number;
  readonly backgroundRows: number;
}

/** Explains the sample in ranges, so that progress shows and an abort is heard. */
const explain = async (
  { outside, signal, progress }: Context,
  { manifest, source }: LoadedEnsemble,
  sample: readonly Float32Array[],
): Promise<GlobalContributions> => {
  const players = manifest.inputs.map(({ name }) => name);
  const summary = globalAttribution(players);
  let base = 0;
  let backgroundRows = 0;
  for (let from = 0; from < sample.length; from += rangeRows) {
    const range = sample.slice(from, from + rangeRows);
    const request: ExplainRequest = {
      source,
      input: { rows: range.length, values: joined(range) },
      backgroundRows: manifest.background.rows,
      counterfactuals: null,
    };
    const explained = await outside.compute.run<ExplainResult>('evaluation.explain', request, {
      timeoutMs: rangeTimeoutMs,
      signal,
    });
    ({ base, backgroundRows } = explained);
    const { probability, contributions } = explained;
    summary.add({ base, players, rows: range.length, values: contributions, probability });
    const done = Math.min(from + rangeRows, sample.length);
    await progress(
      0.55 + (0.4 * done) / sample.length,
      `${String(done)} of ${String(sample.length)} rows explained`,
    );
  }
  return { summary: summary.result(), base, backgroundRows };
};

/** Scores, measures and explains; the same inputs give the same results to the last digit. */
export const computeResults = async (
  context: Context,
  ensemble: LoadedEnsemble,
  artifact: Artifact,
  policy: EvaluationPolicy,
): Promise<EvidenceResult[]> => {
  const { manifest } = ensemble;
  const scored = await scoreDataset(context, ensemble, artifact, policy);
  const measured = await measure(context, ensemble, scored, policy);
  await context.progress(0.55, 'Performance and fairness measured');
  const { summary, base, backgroundRows } = await explain(context, ensemble, scored.sample);
  const { path, sha256 } = artifact;
  const dataset = { name: path.slice(path.lastIndexOf('/') + 1), path, sha256, rows: scored.rows };
  const { threshold } = manifest.target;
  const labels = new Map(manifest.inputs.map((input) => [input.name, input.label]));
  return [
    performanceResult(measured.performance, dataset, policy, scored.runtimeGap),
    fairnessResult(measured.fairness, dataset, policy, { threshold, missing: scored.missing }),
    attributionResult(summary, dataset, policy, {
      sampleRows: scored.sample.length,
      baseProbability: base,
      backgroundSha256: manifest.background.sha256,
      backgroundRows,
      excluded: manifest.excluded.map(({ name }) => name),
      labels,
    }),
  ];
};
