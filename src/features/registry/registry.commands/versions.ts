import { z } from 'zod';
import type { AuditEntry } from '../../../kernel/audit.js';
import { defineCommand, nothingChanged, type CommandContext } from '../../../kernel/command.js';
import type { Tx } from '../../../kernel/db.js';
import { invalidInput } from '../../../kernel/errors.js';
import { newId } from '../../../kernel/id.js';
import { Artifact } from '../artifact.entity.js';
import { ModelAlias } from '../model-alias.entity.js';
import { lineageDataset, resolveDatasets } from '../lineage-datasets.js';
import { ModelVersion, type Lineage } from '../model-version.entity.js';
import { requireNoProtectedName } from '../protection.js';
import { RegisteredModel } from '../registered-model.entity.js';
import { intake } from '../registry.jobs.js';
import { digestOf, outcomeOf, requireModelFile } from './closing.js';
import { lockModel, lockModelAndVersion, lockVersion } from './find.js';

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
    const datasets = await resolveDatasets(tx, input.datasets);
    const parentVersionId = input.parentVersionId ?? null;
    await requireParent(tx, parentVersionId);
    const { id, audit } = await addVersion(
      tx,
      target,
      {
        description: input.description,
        metrics: input.metrics ?? {},
        params: input.params ?? {},
        lineage: {
          run: input.run ?? null,
          codeCommit: input.codeCommit ?? null,
          datasets,
          parentVersionId,
        },
      },
      { actorId: actor.id, now },
    );
    return { result: { id }, audit };
  },
});

/** What a new version is given. */
export interface NewVersion {
  readonly description: string;
  readonly metrics: Readonly<Record<string, number>>;
  readonly params: Readonly<Record<string, string>>;
  readonly lineage: Lineage;
  /** Where its files come from, when another protocol says so. */
  readonly source?: string;
  readonly runId?: string | null;
  readonly runLink?: string;
  readonly loggedModelId?: string | null;
  /** Its number, where it has one already in another registry; it must be free. */
  readonly number?: number;
}

/** Opens the next version of a locked model. */
export const addVersion = async (
  tx: Tx,
  model: RegisteredModel,
  { number, ...given }: NewVersion,
  { actorId, now }: { actorId: string; now: Date },
): Promise<{ id: string; version: number; audit: AuditEntry }> => {
  const id = newId();
  const version = number ?? model.lastVersion + 1;
  const lastVersion = Math.max(model.lastVersion, version);
  await tx.update(RegisteredModel, { id: model.id }, { lastVersion, updatedAt: now });
  await tx.insert(ModelVersion, {
    ...given,
    id,
    version,
    workspaceId: model.workspaceId,
    modelId: model.id,
    state: 'PENDING_INTAKE',
    stateMessage: 'Waiting for artifacts',
    createdBy: actorId,
    createdAt: now,
  });
  const { metrics, params, lineage, source } = given;
  return {
    id,
    version,
    audit: {
      subject: { kind: 'modelVersion', id },
      changes: { version: { from: null, to: version }, state: { from: null, to: 'PENDING_INTAKE' } },
      facts: { modelId: model.id, metrics, params, lineage, ...(source === undefined ? {} : { source }) },
    },
  };
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
    const { jobId, audit } = await closeVersion(tx, { model, version }, { now, enqueue });
    return { result: { id: version.id, jobId }, audit };
  },
});

/** Closes the artifacts of a version and has them checked. */
const closeVersion = async (
  tx: Tx,
  { model, version }: { model: Pick<RegisteredModel, 'kind'>; version: Pick<ModelVersion, 'id' | 'state'> },
  { now, enqueue }: Pick<CommandContext<unknown, unknown>, 'now' | 'enqueue'>,
): Promise<{ jobId: string | null; audit: AuditEntry }> => {
  const artifacts = await tx.find(Artifact, { where: { versionId: version.id } });
  if (model.kind === 'ONNX') requireModelFile(artifacts);
  const subject = { kind: 'modelVersion', id: version.id };
  const digest = digestOf(artifacts);
  const outcome = await outcomeOf(tx, digest, artifacts);
  const jobId = outcome.examine ? enqueue(intake, { versionId: version.id }, { subject }) : null;
  const { state, stateMessage, found } = outcome;
  await tx.update(
    ModelVersion,
    { id: version.id },
    { submittedAt: now, digest, state, stateMessage, intakeJobId: jobId, ...found },
  );
  return {
    jobId,
    audit: {
      subject,
      changes: { digest: { from: null, to: digest }, state: { from: version.state, to: state } },
      facts: {
        artifacts: artifacts.map(({ path, sha256, bytes }) => ({ path, sha256, bytes })),
        message: stateMessage,
      },
    },
  };
};

export const describeModelVersion = defineCommand({
  name: 'modelVersion.describe',
  describe: 'Changes the description of a version.',
  permission: 'modelVersion:update',
  input: z.object({ versionId: z.uuid(), description: z.string().trim().max(10_000) }),
  target: (tx, input) => lockVersion(tx, input.versionId),
  handle: async ({ tx, input: { description }, target: { id, description: before }, now }) => {
    await tx.update(ModelVersion, { id }, { description, updatedAt: now });
    const changes = { description: { from: before, to: description } };
    return { result: { id }, audit: { subject: { kind: 'modelVersion', id }, changes } };
  },
});

export const deleteModelVersion = defineCommand({
  name: 'modelVersion.delete',
  describe: 'Deletes a version and the aliases that point to it. Refused while one of them is protected.',
  permission: 'modelVersion:delete',
  input: z.object({ versionId: z.uuid() }),
  target,
  handle: async ({ tx, target: { version }, now }) => {
    await requireNoProtectedName(
      tx,
      { modelId: version.modelId, versionId: version.id },
      {
        now,
        what: 'deleting its version',
        instead: 'Let it name another version with requestPromotion first; then this one can be deleted.',
      },
    );
    const aliases = await tx.find(ModelAlias, { where: { versionId: version.id } });
    await tx.remove(ModelAlias, { versionId: version.id });
    await tx.update(ModelVersion, { id: version.id }, { deletedAt: now });
    await tx.update(RegisteredModel, { id: version.modelId }, { updatedAt: now });
    return {
      result: { id: version.id },
      audit: {
        subject: { kind: 'modelVersion', id: version.id },
        changes: { deletedAt: { from: null, to: now } },
        facts: {
          modelId: version.modelId,
          version: version.version,
          aliases: aliases.map(({ name }) => name),
        },
      },
    };
  },
});
