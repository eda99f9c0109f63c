import { z } from 'zod';
import type { AuditEntry } from '../../../kernel/audit.js';
import { defineCommand, nothingChanged } from '../../../kernel/command.js';
import { driftBaseline, driftWindow } from '../../../kernel/drift-baseline.js';
import { newId } from '../../../kernel/id.js';
import { lockVersion } from '../../registry/index.js';
import { currentEvaluationPolicy, digestOf } from '../evaluation-policy.js';
import { Evaluation } from '../evaluation.entity.js';
import { evidenceResult, type EvidenceResult } from '../evidence-result.js';
import { Evidence } from '../evidence.entity.js';
import { verdictOf } from '../judge.js';
import { lockEvaluation } from './find.js';
import { storeDrift } from './record-drift.js';

const dayMs = 86_400_000;

/** What went in: the same here, computed again, gives the same result. */
const inputs = z.strictObject({
  suite: z.string(),
  versionDigest: z.string().regex(/^[0-9a-f]{64}$/),
  datasetSha256: z.string().regex(/^[0-9a-f]{64}$/),
  policySha256: z.string().regex(/^[0-9a-f]{64}$/),
  engineVersion: z.string().min(1).max(100),
  seed: z.int(),
  /** Digest of how a table of predictions was read, and of the baseline it was held against. */
  predictionsSha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
  baselineSha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
});

/** What went into evidence. */
export type EvidenceInputs = z.output<typeof inputs>;

const auditOf = (
  evidence: Pick<Evidence, 'id' | 'kind' | 'verdict' | 'inputSha256' | 'resultSha256'>,
  result: EvidenceResult,
): AuditEntry => ({
  subject: { kind: 'evidence', id: evidence.id },
  changes: { verdict: { from: null, to: evidence.verdict } },
  facts: {
    kind: evidence.kind,
    inputSha256: evidence.inputSha256,
    resultSha256: evidence.resultSha256,
    failed: result.checks
      .filter(({ verdict }) => verdict !== 'PASS')
      .map(({ figure, verdict, mode }) => ({ figure, verdict, mode })),
  },
});

/** Turns results into evidence, all kinds in one transaction; run by the evaluation job only. */
export const recordEvaluation = defineCommand({
  name: 'evaluation.record',
  describe: 'Records the evidence that an evaluation left.',
  permission: 'evaluation:record',
  input: z.object({
    evaluationId: z.uuid(),
    inputs,
    results: z.array(evidenceResult).min(1).max(3),
    drift: z
      .strictObject({
        frozen: driftBaseline.nullable(),
        window: driftWindow.nullable(),
        rows: z.int().min(1),
      })
      .optional(),
  }),
  target: (tx, input) => lockEvaluation(tx, input.evaluationId),
  handle: async ({ tx, input, target: evaluation, now }) => {
    const { id } = evaluation;
    if (evaluation.finishedAt !== null) return { result: { id }, audit: nothingChanged };
    // Approvals stand on evidence: whoever decides on the version at this moment decides before it or after it.
    const version = await lockVersion(tx, evaluation.versionId);
    const { validDays } = currentEvaluationPolicy();
    const inputSha256 = digestOf(input.inputs);
    const rows = input.results.map((result) => ({
      id: newId(),
      workspaceId: evaluation.workspaceId,
      evaluationId: id,
      versionId: version.id,
      versionDigest: input.inputs.versionDigest,
      useCaseId: evaluation.useCaseId,
      kind: result.kind,
      // What others computed stays theirs, whatever the job says.
      provenance: evaluation.predictions === null ? ('COMPUTED' as const) : ('SUBMITTED' as const),
      result,
      verdict: verdictOf(result.checks),
      inputSha256,
      resultSha256: digestOf(result),
      engineVersion: input.inputs.engineVersion,
      seed: input.inputs.seed,
      createdAt: now,
      expiresAt: new Date(now.getTime() + validDays[result.kind] * dayMs),
    }));
    await tx.insert(Evidence, rows);
    const { versionDigest } = input.inputs;
    const drifted = input.drift ? await storeDrift(tx, { evaluation, versionDigest, now }, input.drift) : [];
    await tx.update(Evaluation, { id }, { state: 'DONE', finishedAt: now });
    const done: AuditEntry = {
      subject: { kind: 'evaluation', id },
      changes: { state: { from: evaluation.state, to: 'DONE' } },
      facts: {
        versionId: version.id,
        evidence: rows.map((row) => row.id),
        inputs: input.inputs,
        inputSha256,
      },
    };
    const entries = rows.map((row, index) => auditOf(row, input.results[index] ?? row.result));
    return { result: { id }, audit: [done, ...entries, ...drifted] };
  },
});
