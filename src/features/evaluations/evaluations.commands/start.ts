import { z } from 'zod';
import { defineCommand, nothingChanged } from '../../../kernel/command.js';
import type { Tx } from '../../../kernel/db.js';
import { AppError, conflict } from '../../../kernel/errors.js';
import { newId } from '../../../kernel/id.js';
import { DatasetVersion } from '../../datasets/index.js';
import { Artifact, versionOr404, type ModelVersion } from '../../registry/index.js';
import { useCaseOr404 } from '../../usecases/index.js';
import { DriftBaseline } from '../drift-baseline.entity.js';
import { digestOf, submittedSuite, suite } from '../evaluation-policy.js';
import { Evaluation, type EvaluationDataset } from '../evaluation.entity.js';
import { runEvaluation } from '../evaluations.jobs.js';
import {
  predictionsInput,
  specOf,
  type PredictionsInput,
  type PredictionsSpec,
} from '../predictions-spec.js';

/** Only what intake accepted is measured: before that, nobody has looked into the files. */
const requireReady = (version: ModelVersion): void => {
  if (version.state === 'READY') return;
  throw new AppError(
    'PRECONDITION_FAILED',
    `Version ${String(version.version)} is ${version.state}; only a version that passed intake is evaluated`,
    { rule: 'version-ready', state: version.state, reason: version.stateMessage },
  );
};

const artifactOf = async (tx: Tx, versionId: string, path: string): Promise<EvaluationDataset> => {
  const artifacts = await tx.find(Artifact, { where: { versionId }, order: { path: 'ASC' } });
  const found = artifacts.find((artifact) => artifact.path === path);
  if (found) return { path, sha256: found.sha256, name: path.slice(path.lastIndexOf('/') + 1) };
  throw new AppError('NOT_FOUND', `The version has no artifact at ${path}`, {
    rule: 'dataset',
    tables: artifacts.map((artifact) => artifact.path).filter((name) => /\.(csv(\.gz)?|parquet)$/.test(name)),
  });
};

/** An uploaded table; what is only referred to stands elsewhere and cannot be read here. */
const uploadOf = async (tx: Tx, id: string): Promise<EvaluationDataset> => {
  const found = await tx.findOne(DatasetVersion, { id });
  if (!found || found.deletedAt !== null)
    throw new AppError('NOT_FOUND', 'There is no such version of a data set', { rule: 'dataset' });
  const { sha256, source, version } = found;
  if (source === 'UPLOADED' && sha256 !== null) {
    const [dataset] = await tx.sql<{ name: string }>('select name from dataset where id = $1', [
      found.datasetId,
    ]);
    const name = dataset?.name ?? 'data';
    return { path: `datasets/${name}/${String(version)}`, sha256, name };
  }
  throw new AppError(
    'PRECONDITION_FAILED',
    'The content of this version of the data set is not stored here',
    {
      rule: 'dataset-content',
      source,
    },
  );
};

interface About {
  readonly version: ModelVersion;
  readonly useCaseId: string;
}

/** The baseline that was named, or the newest one; null when there is none, or a new one is frozen. */
const baselineOf = async (
  tx: Tx,
  { version, useCaseId }: About,
  { baselineId, freezeBaseline }: PredictionsInput,
): Promise<string | null> => {
  if (freezeBaseline) return null;
  const place = { versionId: version.id, useCaseId };
  const known = await tx.find(DriftBaseline, { where: place, order: { id: 'DESC' } });
  if ((baselineId ?? null) === null) return known[0]?.id ?? null;
  if (known.some(({ id }) => id === baselineId)) return baselineId ?? null;
  throw new AppError('NOT_FOUND', 'This version has no such baseline in the use case', { rule: 'baseline' });
};

interface Asked {
  readonly dataset: EvaluationDataset;
  readonly predictions: PredictionsSpec | null;
}

const askedOf = async (
  tx: Tx,
  about: About,
  input: { datasetPath?: string | null | undefined; predictions?: PredictionsInput | null | undefined },
  now: Date,
): Promise<Asked> => {
  const versionId = about.version.id;
  const { predictions } = input;
  if (!predictions)
    return { dataset: await artifactOf(tx, versionId, input.datasetPath ?? ''), predictions: null };
  const { artifactPath, datasetVersionId } = predictions;
  const dataset =
    typeof artifactPath === 'string'
      ? await artifactOf(tx, versionId, artifactPath)
      : await uploadOf(tx, datasetVersionId ?? '');
  return { dataset, predictions: specOf(predictions, await baselineOf(tx, about, predictions), now) };
};

/** Whether it asks for the same, whenever that was. */
const isSame = (one: PredictionsSpec | null, other: PredictionsSpec | null): boolean =>
  digestOf({ ...one, observedAt: null }) === digestOf({ ...other, observedAt: null });

/** The evaluation of these rows that is not finished; one that asks something else of them is in the way. */
const openOne = async (tx: Tx, { version, useCaseId }: About, asked: Asked): Promise<Evaluation | null> => {
  const open = await tx.find(Evaluation, { where: { versionId: version.id, useCaseId } });
  const found = open.find((one) => one.finishedAt === null && one.dataset.sha256 === asked.dataset.sha256);
  if (!found || isSame(found.predictions, asked.predictions)) return found ?? null;
  throw conflict('Another evaluation of these rows is not finished yet', {
    rule: 'evaluation-open',
    evaluationId: found.id,
  });
};

export const startEvaluation = defineCommand({
  name: 'evaluation.start',
  describe:
    'Measures a version in a use case: on one of its data sets, or from a table of predictions, whatever made them. Asking again while it runs gives the same run.',
  permission: 'evaluation:start',
  input: z
    .object({
      versionId: z.uuid(),
      useCaseId: z.uuid(),
      datasetPath: z
        .string()
        .min(1)
        .max(1000)
        .nullish()
        .describe('Path of a .csv or .csv.gz artifact of the version, which is scored here.'),
      predictions: predictionsInput
        .nullish()
        .describe('A table of predictions. The evidence is marked SUBMITTED: nobody here computed them.'),
    })
    .refine(
      ({ datasetPath, predictions }) => (typeof datasetPath === 'string') !== Boolean(predictions),
      'needs datasetPath or predictions, and not both',
    ),
  target: async (tx, input) => {
    const version = await versionOr404(tx, input.versionId);
    await useCaseOr404(tx, input.useCaseId);
    return version;
  },
  handle: async ({ tx, actor, input, target: version, now, enqueue }) => {
    requireReady(version);
    const { useCaseId } = input;
    const about = { version, useCaseId };
    const asked = await askedOf(tx, about, input, now);
    // Two who ask at the same time wait for each other here.
    await tx.sql(`select pg_advisory_xact_lock(hashtextextended($1, 7))`, [`${version.id}:${useCaseId}`]);
    const same = await openOne(tx, about, asked);
    if (same) return { result: { id: same.id, jobId: same.jobId }, audit: nothingChanged };
    const id = newId();
    const subject = { kind: 'evaluation', id };
    const jobId = enqueue(runEvaluation, { evaluationId: id }, { subject });
    const wanted = asked.predictions ? submittedSuite : suite;
    await tx.insert(Evaluation, {
      id,
      jobId,
      suite: wanted,
      ...asked,
      workspaceId: version.workspaceId,
      versionId: version.id,
      useCaseId,
      state: 'QUEUED',
      requestedBy: actor.id,
      createdAt: now,
    });
    return {
      result: { id, jobId },
      audit: {
        subject,
        changes: { state: { from: null, to: 'QUEUED' } },
        facts: {
          versionId: version.id,
          versionDigest: version.digest,
          useCaseId,
          dataset: asked.dataset,
          suite: wanted,
          ...(asked.predictions ? { predictions: asked.predictions } : {}),
        },
      },
    };
  },
});
