import { z } from 'zod';
import { defineCommand, nothingChanged } from '../../../kernel/command.js';
import type { Tx } from '../../../kernel/db.js';
import { AppError } from '../../../kernel/errors.js';
import { newId } from '../../../kernel/id.js';
import { Artifact, versionOr404, type ModelVersion } from '../../registry/index.js';
import { useCaseOr404 } from '../../usecases/index.js';
import { suite } from '../evaluation-policy.js';
import { Evaluation } from '../evaluation.entity.js';
import { runEvaluation } from '../evaluations.jobs.js';

/** Only what intake accepted is measured: before that, nobody has looked into the files. */
const requireReady = (version: ModelVersion): void => {
  if (version.state === 'READY') return;
  throw new AppError(
    'PRECONDITION_FAILED',
    `Version ${String(version.version)} is ${version.state}; only a version that passed intake is evaluated`,
    { rule: 'version-ready', state: version.state, reason: version.stateMessage },
  );
};

const datasetOf = async (tx: Tx, versionId: string, path: string) => {
  const artifacts = await tx.find(Artifact, { where: { versionId }, order: { path: 'ASC' } });
  const found = artifacts.find((artifact) => artifact.path === path);
  if (found) return { path, sha256: found.sha256, name: path.slice(path.lastIndexOf('/') + 1) };
  throw new AppError('NOT_FOUND', `The version has no artifact at ${path}`, {
    rule: 'dataset',
    tables: artifacts.map((artifact) => artifact.path).filter((name) => /\.csv(\.gz)?$/.test(name)),
  });
};

export const startEvaluation = defineCommand({
  name: 'evaluation.start',
  describe:
    'Measures a version in a use case on one of its data sets; asking again while it runs gives the same run.',
  permission: 'evaluation:start',
  input: z.object({
    versionId: z.uuid(),
    useCaseId: z.uuid(),
    datasetPath: z.string().min(1).max(1000).describe('Path of a .csv or .csv.gz artifact of the version.'),
  }),
  target: async (tx, input) => {
    const version = await versionOr404(tx, input.versionId);
    await useCaseOr404(tx, input.useCaseId);
    return version;
  },
  handle: async ({ tx, actor, input, target: version, now, enqueue }) => {
    requireReady(version);
    const dataset = await datasetOf(tx, version.id, input.datasetPath);
    // Two who ask at the same time wait for each other here.
    await tx.sql(`select pg_advisory_xact_lock(hashtextextended($1, 7))`, [
      `${version.id}:${input.useCaseId}`,
    ]);
    const open = await tx.find(Evaluation, { where: { versionId: version.id, useCaseId: input.useCaseId } });
    const same = open.find((one) => one.finishedAt === null && one.dataset.sha256 === dataset.sha256);
    if (same) return { result: { id: same.id, jobId: same.jobId }, audit: nothingChanged };
    const id = newId();
    const subject = { kind: 'evaluation', id };
    const jobId = enqueue(runEvaluation, { evaluationId: id }, { subject });
    await tx.insert(Evaluation, {
      id,
      jobId,
      suite,
      dataset,
      workspaceId: version.workspaceId,
      versionId: version.id,
      useCaseId: input.useCaseId,
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
          useCaseId: input.useCaseId,
          dataset,
          suite,
        },
      },
    };
  },
});
