import { createHash } from 'node:crypto';
import { z } from 'zod';
import { canonicalBytes } from '../../../kernel/audit.js';
import { defineCommand, nothingChanged } from '../../../kernel/command.js';
import type { Tx } from '../../../kernel/db.js';
import { AppError, invalidInput } from '../../../kernel/errors.js';
import { newId } from '../../../kernel/id.js';
import { Artifact } from '../artifact.entity.js';
import { ModelAlias } from '../model-alias.entity.js';
import { lineageDataset, resolveDatasets } from '../lineage-datasets.js';
import { ModelVersion } from '../model-version.entity.js';
import { requireUnprotected } from '../protection.js';
import { RegisteredModel } from '../registered-model.entity.js';
import { intake } from '../registry.jobs.js';
import { lockModel, lockModelAndVersion } from './find.js';

const maxEntries = 500;

const few = <Value extends z.ZodType>(value: Value) =>
  z
    .record(z.string().min(1).max(200), value)
    .refine(
      (entries) => Object.keys(entries).length <= maxEntries,
      `has more than ${String(maxEntries)} entries`,
    )
    .nullish();

const requireParent = async (tx: Tx, id: string | null): Promise<void> => {
  if (id === null || (await tx.findOne(ModelVersion, { id }))) return;
  throw invalidInput('The parent version was not found in this workspace', [
    { path: 'parentVersionId', message: 'was not found' },
  ]);
};

export const createModelVersion = defineCommand({
  name: 'modelVersion.create',
  describe:
    'Opens the next version of a model, with what is known of where it comes from. Then upload and submit.',
  permission: 'modelVersion:create',
  input: z.object({
    modelId: z.uuid(),
    description: z.string().trim().max(10_000).default(''),
    metrics: few(z.number()).describe('Name → number.'),
    params: few(z.string().max(6000)).describe('Name → text.'),
    run: z.string().trim().min(1).max(500).nullish().describe('Where it was trained: a run id or address.'),
    codeCommit: z.string().trim().min(1).max(200).nullish(),
    datasets: z.array(lineageDataset).max(100).default([]),
    parentVersionId: z.uuid().nullish().describe('The version it was made from.'),
  }),
  target: (tx, input) => lockModel(tx, input.modelId),
  handle: async ({ tx, actor, input, target, now }) => {
    const { description } = input;
    const datasets = await resolveDatasets(tx, input.datasets);
    const metrics = input.metrics ?? {};
    const params = input.params ?? {};
    const parentVersionId = input.parentVersionId ?? null;
    await requireParent(tx, parentVersionId);
    const id = newId();
    const version = target.lastVersion + 1;
    const lineage = {
      run: input.run ?? null,
      codeCommit: input.codeCommit ?? null,
      datasets,
      parentVersionId,
    };
    await tx.update(RegisteredModel, { id: target.id }, { lastVersion: version });
    await tx.insert(ModelVersion, {
      id,
      version,
      description,
      metrics,
      params,
      lineage,
      workspaceId: target.workspaceId,
      modelId: target.id,
      state: 'PENDING_INTAKE',
      stateMessage: 'Waiting for artifacts',
      createdBy: actor.id,
      createdAt: now,
    });
    return {
      result: { id },
      audit: {
        subject: { kind: 'modelVersion', id },
        changes: { version: { from: null, to: version }, state: { from: null, to: 'PENDING_INTAKE' } },
        facts: { modelId: target.id, metrics, params, lineage },
      },
    };
  },
});

/** What a version is: sha256 over the canonical JSON of its paths and digests, sorted by path. */
export const digestOf = (artifacts: readonly { path: string; sha256: string }[]): string => {
  const pairs = artifacts.map(({ path, sha256 }) => [path, sha256] as const);
  const sorted = pairs.toSorted(([one], [other]) => (one < other ? -1 : 1));
  return createHash('sha256').update(canonicalBytes(sorted)).digest('hex');
};

const requireModelFile = (artifacts: readonly Artifact[]): void => {
  if (artifacts.some(({ path }) => path.toLowerCase().endsWith('.onnx'))) return;
  throw new AppError(
    'PRECONDITION_FAILED',
    'The version has no .onnx file yet: upload one before you submit it',
    {
      rule: 'artifact-required',
      artifacts: artifacts.map(({ path }) => path),
    },
  );
};

const target = async (tx: Tx, input: { versionId: string }) => {
  const { model, version } = await lockModelAndVersion(tx, input.versionId);
  return { id: version.id, model, version };
};

export const submitModelVersion = defineCommand({
  name: 'modelVersion.submit',
  describe:
    'Closes the artifacts of a version and has them checked. A model without artifacts is ready at once.',
  permission: 'modelVersion:update',
  input: z.object({ versionId: z.uuid() }),
  target,
  handle: async ({ tx, target: { model, version }, now, enqueue }) => {
    const unchanged = { id: version.id, jobId: version.intakeJobId };
    if (version.submittedAt !== null) return { result: unchanged, audit: nothingChanged };
    const artifacts = await tx.find(Artifact, { where: { versionId: version.id } });
    const bare = model.kind === 'EXTERNAL' && artifacts.length === 0;
    if (model.kind === 'ONNX') requireModelFile(artifacts);
    const subject = { kind: 'modelVersion', id: version.id };
    const digest = digestOf(artifacts);
    const jobId = bare ? null : enqueue(intake, { versionId: version.id }, { subject });
    const state = bare ? 'READY' : 'PENDING_INTAKE';
    const stateMessage = bare ? 'Nothing to check: the model stands elsewhere' : 'Waiting for intake';
    await tx.update(
      ModelVersion,
      { id: version.id },
      { submittedAt: now, digest, state, stateMessage, intakeJobId: jobId },
    );
    return {
      result: { id: version.id, jobId },
      audit: {
        subject,
        changes: { digest: { from: null, to: digest }, state: { from: version.state, to: state } },
        facts: { artifacts: artifacts.map(({ path, sha256, bytes }) => ({ path, sha256, bytes })) },
      },
    };
  },
});

export const deleteModelVersion = defineCommand({
  name: 'modelVersion.delete',
  describe: 'Deletes a version and the aliases that point to it. Refused while one of them is protected.',
  permission: 'modelVersion:delete',
  input: z.object({ versionId: z.uuid() }),
  target,
  handle: async ({ tx, target: { version }, now }) => {
    const aliases = await tx.find(ModelAlias, { where: { versionId: version.id } });
    const names = aliases.map(({ name }) => name);
    await requireUnprotected(tx, names, 'deleting its version', version.modelId);
    await tx.remove(ModelAlias, { versionId: version.id });
    await tx.update(ModelVersion, { id: version.id }, { deletedAt: now });
    return {
      result: { id: version.id },
      audit: {
        subject: { kind: 'modelVersion', id: version.id },
        changes: { deletedAt: { from: null, to: now } },
        facts: {
          modelId: version.modelId,
          version: version.version,
          aliases: names,
        },
      },
    };
  },
});
