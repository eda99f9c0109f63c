import { randomBytes } from 'node:crypto';
import type { EnsembleSource } from '../../../compute/ensemble/open-ensemble.js';
import { AppError } from '../../../kernel/errors.js';
import type { JobContext } from '../../../kernel/job.js';
import { explanationAgent, type RowExplanation } from '../agents/explanation.js';
import { intakeAgent } from '../agents/intake.js';
import { policyAgent } from '../agents/policy.js';
import { reviewAgent } from '../agents/review.js';
import type { ExplanationOutput } from '../agents/run-facts.js';
import { scoringAgent } from '../agents/scoring.js';
import type { InputValues } from '../application.js';
import type { StepPlace } from '../pipeline.js';
import type { GuardrailVerdict } from '../verdict.js';
import { agentAt, made, type Failure, type Run, type Runnable, type StepResult } from './run.js';
import { explainCases, scoreCases } from './score-and-explain.js';
import { runnableOf } from './sources.js';

/** What performing a step needs of a job. */
export type StepContext = Pick<JobContext<unknown>, 'ask' | 'actor' | 'outside' | 'signal'>;

type Ready = Runnable<EnsembleSource>;

/** Performs one step of many runs; what goes wrong with one of them does not touch the others. */
export const performStep = async (
  context: StepContext,
  runs: readonly Run[],
  place: StepPlace,
): Promise<Map<Run, StepResult>> => {
  const results = new Map<Run, StepResult>();
  for (const group of byVersionAndPolicy(runs)) {
    for (const [run, result] of await performGroup(context, group, place)) results.set(run, result);
  }
  return results;
};

const byVersionAndPolicy = (runs: readonly Run[]): Run[][] => [
  ...Map.groupBy(runs, (run) => `${run.versionDigest}/${run.inForce.sha256}`).values(),
];

const performGroup = async (
  context: StepContext,
  runs: readonly Run[],
  place: StepPlace,
): Promise<(readonly [Run, StepResult])[]> => {
  const [first] = runs;
  if (!first) return [];
  try {
    const ready = await runnableOf(context, first);
    return await performAgent(context, ready, runs, place);
  } catch (error) {
    if (error instanceof AppError) return runs.map((run) => [run, { failure: failureOf(error) }] as const);
    if (!isOfOneCase(error)) throw error;
    if (runs.length === 1) return [[first, { failure: unexplained(error) }]];
    const alone = [];
    for (const run of runs) alone.push(...(await performGroup(context, [run], place)));
    return alone;
  }
};

/** An exact result that failed its own check concerns its case; whoever shares the batch is not to suffer. */
const isOfOneCase = (error: unknown): error is Error =>
  error instanceof Error && (error.name === 'AdditivityError' || error.name === 'AnalysisInputError');

const unexplained = (error: Error): Failure => ({
  state: 'FAILED',
  code: 'INTERNAL',
  rule: error.name,
  message: 'The case could not be explained exactly, so it was not decided',
});

/** What a refusal means for a run. */
export const failureOf = (error: AppError): Failure => {
  const { rule } = error.details;
  return {
    state: error.code === 'INTERNAL' ? 'FAILED' : 'REFUSED',
    code: error.code,
    rule: typeof rule === 'string' ? rule : error.code.toLowerCase(),
    message: error.message,
  };
};

type Performed = readonly (readonly [Run, StepResult])[];

const performAgent = async (
  context: StepContext,
  ready: Ready,
  runs: readonly Run[],
  place: StepPlace,
): Promise<(readonly [Run, StepResult])[]> => {
  const agent = agentAt(place);
  if (agent === 'scoring') return [...(await score(context, ready, runs))];
  if (agent === 'explanation') return [...(await explain(context, ready, runs, place.iteration))];
  const each = { intake: intakeOf, policy: policyOf, review: reviewOf, person: personOf }[agent];
  return runs.map((run) => [run, each(run, ready, place.iteration)] as const);
};

const ruled = (verdicts: readonly GuardrailVerdict[]) =>
  verdicts.map(({ layer, rule, verdict }) => ({ layer, rule, verdict }));

const intakeOf = (run: Run, { manifest }: Ready): StepResult => {
  try {
    const output = intakeAgent(run.request, manifest, run.inForce.policy);
    const denied = output.verdicts.find(({ verdict }) => verdict === 'DENY');
    if (denied) {
      const failure = {
        state: 'REFUSED',
        code: 'PRECONDITION_FAILED',
        rule: denied.rule,
        message: denied.why,
      } as const;
      return { failure };
    }
    const { versionId, versionDigest } = run;
    return { output, facts: { versionId, versionDigest, verdicts: ruled(output.verdicts) } };
  } catch (error) {
    if (error instanceof AppError) return { failure: failureOf(error) };
    throw error;
  }
};

const score = async (context: StepContext, ready: Ready, runs: readonly Run[]): Promise<Performed> => {
  const cases = runs.map((run) => made.intake(run.outputs).inputs);
  const scores = await scoreCases(context, ready, cases);
  return runs.map((run, index) => {
    const row = scores[index];
    if (!row) throw new Error('A case was not scored');
    const output = scoringAgent(cases[index] ?? {}, row, ready.manifest);
    const members = ready.manifest.members.map(({ name, sha256 }) => ({ name, sha256 }));
    return [run, { output, facts: { versionDigest: run.versionDigest, members } }];
  });
};

const bits = 2 ** 32;

/** A uniform draw in [0, 1); its value becomes part of the step, so the choice can be repeated. */
const draw = (): number => randomBytes(4).readUInt32BE() / bits;

const policyOf = (run: Run): StepResult => {
  const { policy, sha256 } = run.inForce;
  const output = policyAgent(made.intake(run.outputs), made.scoring(run.outputs), policy, draw(), run);
  const { action, decidedBy, propensities, exploration, draw: drawn, verdicts } = output;
  return {
    output,
    facts: {
      policyVersion: policy.version,
      policySha256: sha256,
      parameters: policy.bandit.parameters,
      action,
      decidedBy,
      propensities,
      exploration,
      draw: drawn,
      verdicts: ruled(verdicts),
    },
  };
};

const explain = async (
  context: StepContext,
  ready: Ready,
  runs: readonly Run[],
  iteration: number,
): Promise<Performed> => {
  const [first] = runs;
  if (!first) return [];
  const { policy } = first.inForce;
  const cases = runs.map((run): InputValues => made.intake(run.outputs).inputs);
  // What was calculated does not change when the note is written anew.
  const rows =
    iteration === 0
      ? await explainCases(context, ready, policy, cases)
      : runs.map((run) => rowOf(made.explanation(run.outputs, iteration - 1), ready));
  return runs.map((run, index) => {
    const row = rows[index];
    if (!row) throw new Error('A case was not explained');
    const output = explanationAgent({
      inputs: cases[index] ?? {},
      scoring: made.scoring(run.outputs),
      chosen: made.policy(run.outputs),
      row,
      manifest: ready.manifest,
      policy,
      iteration,
    });
    const facts = {
      method: 'exact-shapley',
      backgroundRows: row.backgroundRows,
      verdicts: ruled(output.verdicts),
    };
    return [run, { output, facts }];
  });
};

const rowOf = (earlier: ExplanationOutput, { manifest }: Ready): RowExplanation => {
  const byName = new Map(earlier.contributions.map(({ name, contribution }) => [name, contribution]));
  return { ...earlier, contributions: manifest.inputs.map(({ name }) => byName.get(name) ?? 0) };
};

const reviewOf = (run: Run, _: Ready, iteration: number): StepResult => {
  const output = reviewAgent({
    scoring: made.scoring(run.outputs),
    chosen: made.policy(run.outputs),
    explanation: made.explanation(run.outputs, iteration),
    policy: run.inForce.policy,
    iteration,
  });
  const { verdict, action, objections } = output;
  return { output, facts: { verdict, action, objections: objections.length } };
};

const personOf = (run: Run): StepResult => {
  if (!run.review) throw new Error('Nobody decided this review yet');
  const { id: reviewId, action, by } = run.review;
  return { output: { reviewId, action, by }, facts: { reviewId, action } };
};
