import { z } from 'zod';
import { defineCommand, nothingChanged } from '../../../kernel/command.js';
import type { Tx } from '../../../kernel/db.js';
import { ModelVersion, stages, type Stage } from '../model-version.entity.js';
import { foldName } from '../names.js';
import { requireUnprotected } from '../protection.js';
import { RegisteredModel } from '../registered-model.entity.js';
import { lockModelAndVersion } from './find.js';

/** The stage that a name reads as, or null. */
export const stageNamed = (name: string): Stage | null => {
  const folded = foldName(name);
  return stages.find((stage) => foldName(stage) === folded) ?? null;
};

const archiveOthers = async (
  tx: Tx,
  { modelId, versionId, now }: { modelId: string; versionId: string; now: Date },
  stage: Stage,
): Promise<string[]> => {
  const gone = await tx.sql<{ id: string }>(
    `update model_version set stage = 'Archived', updated_at = $4
      where model_id = $1 and id <> $2 and stage = $3 and deleted_at is null returning id`,
    [modelId, versionId, stage, now],
  );
  return gone.map(({ id }) => id);
};

/**
 * When an approved alias reads as a stage, its version enters the stage, and whatever stood there is archived; nothing
 * otherwise. Returns what the trail shall say of it.
 */
export const enterStage = async (
  tx: Tx,
  move: { modelId: string; versionId: string; alias: string; now: Date },
): Promise<{ stage?: Stage; archived?: readonly string[] }> => {
  const stage = stageNamed(move.alias);
  if (stage === null || stage === 'None') return {};
  const archived = await archiveOthers(tx, move, stage);
  await tx.update(ModelVersion, { id: move.versionId }, { stage, updatedAt: move.now });
  return { stage, archived };
};

interface Place {
  readonly modelId: string;
  readonly versionId: string;
  readonly now: Date;
}

const requireMayLeave = async (tx: Tx, { modelId, now }: Place, stage: Stage): Promise<void> => {
  if (stage === 'None') return;
  await requireUnprotected(tx, modelId, [stage], {
    now,
    what: 'leaving this stage',
    instead: 'Let another version enter it with requestPromotion; then this one is archived.',
  });
};

const requireMayEnter = async (tx: Tx, { modelId, versionId, now }: Place, stage: Stage): Promise<void> => {
  if (stage === 'None') return;
  await requireUnprotected(tx, modelId, [stage], {
    now,
    what: 'entering this stage',
    instead: 'Ask with requestPromotion.',
    move: { versionId, useCaseId: null },
  });
};

export const setStage = defineCommand({
  name: 'modelVersion.setStage',
  describe:
    'Moves a version to a stage. A stage that the policy protects is entered and left by change request only.',
  permission: 'alias:set',
  input: z.object({ versionId: z.uuid(), stage: z.enum(stages), archiveOthers: z.boolean().default(false) }),
  target: async (tx, input) => {
    const { model, version } = await lockModelAndVersion(tx, input.versionId);
    return { id: version.id, model, version };
  },
  handle: async ({ tx, input, target: { model, version }, now }) => {
    const { stage } = input;
    const result = { id: version.id };
    const place = { modelId: model.id, versionId: version.id, now };
    await requireMayLeave(tx, place, version.stage);
    await requireMayEnter(tx, place, stage);
    // What is archived enters a stage as well.
    if (input.archiveOthers) await requireMayEnter(tx, place, 'Archived');
    const archived = input.archiveOthers ? await archiveOthers(tx, place, stage) : [];
    if (version.stage === stage && archived.length === 0) return { result, audit: nothingChanged };
    await tx.update(ModelVersion, { id: version.id }, { stage, updatedAt: now });
    await tx.update(RegisteredModel, { id: model.id }, { updatedAt: now });
    return {
      result,
      audit: {
        subject: { kind: 'modelVersion', id: version.id },
        changes: { stage: { from: version.stage, to: stage } },
        facts: { modelId: model.id, archived },
      },
    };
  },
});
