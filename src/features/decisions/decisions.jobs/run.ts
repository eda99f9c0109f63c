import type { EnsembleManifest } from '../../../kernel/ensemble-manifest.js';
import type {
  DecisionRequest,
  ExplanationOutput,
  IntakeOutput,
  PersonOutput,
  PolicyOutput,
  ReviewOutput,
  ScoringOutput,
} from '../agents/run-facts.js';
import { agents, type AgentName, type StepPlace } from '../pipeline.js';
import type { DecisionAction, PolicyInForce } from '../policy.js';

/** Outputs of finished steps by `seq.iteration`. */
export type Outputs = ReadonlyMap<string, unknown>;

/** A decided review of a referred case. */
export interface DecidedReview {
  readonly id: string;
  readonly action: DecisionAction;
  readonly by: string;
}

/** Why a run ended without a decision. */
export interface Failure {
  /** FAILED is our fault, REFUSED is the request's or the endpoint's. */
  readonly state: 'FAILED' | 'REFUSED';
  readonly code: string;
  readonly rule: string;
  readonly message: string;
}

/** A run in the hands of a worker: what was read of it, and how far it is. */
export interface Run {
  readonly id: string;
  readonly subjectRef: string;
  readonly requestedAt: Date;
  readonly key: Buffer;
  readonly request: DecisionRequest;
  readonly requestSha256: string;
  readonly versionId: string;
  readonly versionDigest: string;
  readonly inForce: PolicyInForce;
  /** Stale evidence, and that a person then looks at every case was approved. */
  readonly referAll: boolean;
  readonly review: DecidedReview | null;
  /** Started attempts per step, by `seq.iteration`. */
  readonly attempts: Map<string, number>;
  outputs: Map<string, unknown>;
  /** Digests of the sealed outputs, in the order in which they were made. */
  outputShas: string[];
  prevHash: string;
  startedAt: Date;
  /** Over for this worker: finished, waiting for a person, failed, or in the hands of another worker. */
  isOver: boolean;
}

/** The key of a step within its run. */
export const keyOf = ({ seq, iteration }: StepPlace): string => `${String(seq)}.${String(iteration)}`;

/** The agent of a step. */
export const agentAt = ({ seq }: StepPlace): AgentName => {
  const agent = agents[seq - 1];
  if (agent === undefined) throw new Error(`The pipeline has no step ${String(seq)}`);
  return agent;
};

const mostIterations = 3;

/** How often the critic sent the run back so far. */
export const iterationOf = (outputs: Outputs): number => {
  for (let iteration = 0; iteration < mostIterations; iteration += 1) {
    const review = reviewAt(outputs, iteration);
    if (review?.verdict !== 'REVISE') return iteration;
  }
  return mostIterations;
};

const reviewAt = (outputs: Outputs, iteration: number): ReviewOutput | undefined =>
  outputs.get(keyOf({ seq: 5, iteration })) as ReviewOutput | undefined;

/** The step that comes next; null when nothing is to be done, or a person has to decide first. */
export const nextStep = (outputs: Outputs, review: DecidedReview | null): StepPlace | null => {
  for (let seq = 1; seq <= 3; seq += 1) {
    if (!outputs.has(keyOf({ seq, iteration: 0 }))) return { seq, iteration: 0 };
  }
  const iteration = iterationOf(outputs);
  for (let seq = 4; seq <= 5; seq += 1) {
    if (!outputs.has(keyOf({ seq, iteration }))) return { seq, iteration };
  }
  const person = { seq: 6, iteration: 0 };
  const isReferred = reviewAt(outputs, iteration)?.action === 'REFER';
  return isReferred && review && !outputs.has(keyOf(person)) ? person : null;
};

/** Sealed by this pipeline under the key of its step; the chain proves that nobody else wrote it. */
const required = (outputs: Outputs, place: StepPlace): unknown => {
  const output = outputs.get(keyOf(place));
  if (output === undefined) throw new Error(`The step ${keyOf(place)} has no output yet`);
  return output;
};

/** The outputs of a run by the agent that made them. */
export const made = {
  intake: (outputs: Outputs) => required(outputs, { seq: 1, iteration: 0 }) as IntakeOutput,
  scoring: (outputs: Outputs) => required(outputs, { seq: 2, iteration: 0 }) as ScoringOutput,
  policy: (outputs: Outputs) => required(outputs, { seq: 3, iteration: 0 }) as PolicyOutput,
  explanation: (outputs: Outputs, iteration: number) =>
    required(outputs, { seq: 4, iteration }) as ExplanationOutput,
  review: (outputs: Outputs) =>
    required(outputs, { seq: 5, iteration: iterationOf(outputs) }) as ReviewOutput,
  person: (outputs: Outputs) => outputs.get(keyOf({ seq: 6, iteration: 0 })) as PersonOutput | undefined,
};

/** What an agent made of a step: an output to seal and facts that may be read by everybody who may read decisions. */
export type StepResult =
  | { readonly output: object; readonly facts: Readonly<Record<string, unknown>> }
  | { readonly failure: Failure };

/** A manifest with what is needed to run it. */
export interface Runnable<Source> {
  readonly source: Source;
  readonly manifest: EnsembleManifest;
}
