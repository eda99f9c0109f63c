import type { AuditEntry } from '../../../kernel/audit.js';
import type { Tx } from '../../../kernel/db.js';
import type { DriftBaseline as Document, DriftWindow as Counts } from '../../../kernel/drift-baseline.js';
import { newId } from '../../../kernel/id.js';
import { DriftBaseline } from '../drift-baseline.entity.js';
import { DriftWindow } from '../drift-window.entity.js';
import { digestOf } from '../evaluation-policy.js';
import type { Evaluation } from '../evaluation.entity.js';

/** What an evaluation froze, and what it counted on a baseline. */
export interface Drifted {
  readonly frozen: Document | null;
  readonly window: Counts | null;
  readonly rows: number;
}

interface Place {
  readonly evaluation: Evaluation;
  readonly versionDigest: string;
  readonly now: Date;
}

/** Stores a baseline and the counts of a period, with their entries for the trail. */
export const storeDrift = async (
  tx: Tx,
  { evaluation, versionDigest, now }: Place,
  { frozen, window, rows }: Drifted,
): Promise<AuditEntry[]> => {
  const entries: AuditEntry[] = [];
  const about = {
    workspaceId: evaluation.workspaceId,
    evaluationId: evaluation.id,
    datasetSha256: evaluation.dataset.sha256,
    rowCount: rows,
    createdAt: now,
  };
  if (frozen) {
    const id = newId();
    const sha256 = digestOf(frozen);
    const { versionId, useCaseId } = evaluation;
    await tx.insert(DriftBaseline, {
      ...about,
      id,
      versionId,
      versionDigest,
      useCaseId,
      sha256,
      document: frozen,
    });
    entries.push({
      subject: { kind: 'driftBaseline', id },
      changes: { sha256: { from: null, to: sha256 } },
      facts: { evaluationId: evaluation.id, rows, columns: frozen.columns.length },
    });
  }
  const baselineId = evaluation.predictions?.baselineId ?? null;
  if (window && baselineId !== null) {
    const id = newId();
    const observedAt = new Date(evaluation.predictions?.observedAt ?? now);
    await tx.insert(DriftWindow, { ...about, id, baselineId, counts: window, observedAt });
    entries.push({
      subject: { kind: 'driftWindow', id },
      changes: { rows: { from: null, to: rows } },
      facts: { evaluationId: evaluation.id, baselineId, observedAt: observedAt.toISOString() },
    });
  }
  return entries;
};
