import { createHash } from 'node:crypto';
import { canonicalBytes } from '../../kernel/audit.js';

/** What is recorded with each decision: which pipeline ran. Changes with the meaning of any step. */
export const pipelineVersion = 'income-routing/1';

/** The agents in the order in which they act; the sixth is a person. */
export const agents = ['intake', 'scoring', 'policy', 'explanation', 'review', 'person'] as const;

/** One agent of the pipeline. */
export type AgentName = (typeof agents)[number];

/** Versions of the agents; a step records its own. */
export const agentVersions: Readonly<Record<AgentName | 'elsewhere', string>> = {
  intake: '1.0.0',
  scoring: '1.0.0',
  policy: '1.0.0',
  explanation: '1.0.0',
  review: '1.0.0',
  person: '1.0.0',
  elsewhere: '1.0.0',
};

/** The place of a step in its run. */
export interface StepPlace {
  readonly seq: number;
  readonly iteration: number;
}

/** What the hash of a step is over, beside its output. */
export interface StepFacts extends StepPlace {
  readonly decisionId: string;
  readonly attempt: number;
  readonly agent: string;
  readonly agentVersion: string;
  readonly status: 'done' | 'failed';
  readonly workerId: string;
  readonly startedAt: Date;
  readonly endedAt: Date;
  readonly inputSha256: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

const sha256 = (...parts: readonly (string | Buffer)[]): string => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
};

/** The digest of sealed bytes. */
export const sealedSha256 = (sealed: string): string => sha256(sealed);

/** Where a run's chain begins: the decision's id and what was asked for, sealed. */
export const genesis = (decisionId: string, sealedRequest: string): string =>
  sha256(`countersign.decision/1\n${decisionId}\n`, sealedRequest);

/** The next link: over the link before, the canonical facts and the digest of the output. */
export const linkOf = (prevHash: string, facts: StepFacts, outputSha256: string): string =>
  sha256(
    Buffer.from(prevHash, 'hex'),
    canonicalBytes({
      v: 1,
      ...facts,
      startedAt: facts.startedAt.toISOString(),
      endedAt: facts.endedAt.toISOString(),
    }),
    Buffer.from(outputSha256, 'hex'),
  );

/** How a run ended, as the row of the decision says it. */
export interface EndFacts {
  readonly action: string | null;
  readonly decidedBy: string | null;
  readonly probability: number | null;
  /** The rules that stood. */
  readonly rules: unknown;
  readonly failure: unknown;
  readonly versionId: string | null;
  readonly versionDigest: string | null;
  readonly policyDigest: string | null;
}

/**
 * The hash of a whole run: its last link, and what the row of the decision says of its end. So the row cannot say
 * anything else than what stands under the root in the trail.
 */
export const runHashOf = (lastLink: string, end: EndFacts): string =>
  sha256(
    Buffer.from(lastLink, 'hex'),
    canonicalBytes({
      v: 1,
      action: end.action,
      decidedBy: end.decidedBy,
      probability: end.probability,
      rules: end.rules,
      failure: end.failure,
      versionId: end.versionId,
      versionDigest: end.versionDigest,
      policyDigest: end.policyDigest,
    }),
  );

/** Where the sealed output of a step stands; bound to the ciphertext. */
export const stepPlace = (decisionId: string, { seq, iteration }: StepPlace): string =>
  `agent_step.output/${decisionId}/${String(seq)}.${String(iteration)}`;

/** Where the sealed request of a decision stands. */
export const requestPlace = (decisionId: string): string => `decision.request/${decisionId}`;
