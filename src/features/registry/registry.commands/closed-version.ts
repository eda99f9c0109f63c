import type { AuditEntry } from '../../../kernel/audit.js';
import type { CommandContext } from '../../../kernel/command.js';
import type { Tx } from '../../../kernel/db.js';
import { newId } from '../../../kernel/id.js';
import { ModelVersion, type JsonObject } from '../model-version.entity.js';
import type { RegisteredModel } from '../registered-model.entity.js';
import { intake } from '../registry.jobs.js';
import { digestOf, outcomeOf, requireModelFile } from './closing.js';
import { requireOpen } from './find.js';
import type { NewVersion } from './versions.js';

/** A file that a version is given: stored content, and who stored it. */
export interface GivenFile {
  readonly path: string;
  readonly sha256: string;
  readonly bytes: number;
  readonly mediaType: string;
  readonly createdBy: string;
}

/** A version that was made and closed in one go. */
export interface ClosedVersion {
  readonly id: string;
  readonly version: number;
  readonly state: 'READY' | 'PENDING_INTAKE';
  readonly stateMessage: string;
  readonly intake: JsonObject | null;
  readonly audit: AuditEntry;
}

type Surroundings = Pick<CommandContext<unknown, unknown>, 'tx' | 'actor' | 'now' | 'enqueue'>;

const insertFiles = (
  tx: Tx,
  at: { readonly versionId: string; readonly workspaceId: string; readonly now: Date },
  files: readonly GivenFile[],
): void => {
  if (files.length === 0) return;
  tx.atCommit(
    `insert into artifact (id, workspace_id, version_id, path, sha256, bytes, media_type, created_by, created_at)
     select id, $1, $2, path, sha256, bytes, media_type, created_by, $3
       from unnest($4::uuid[], $5::text[], $6::text[], $7::bigint[], $8::text[], $9::text[])
            as file (id, path, sha256, bytes, media_type, created_by)`,
    [
      at.workspaceId,
      at.versionId,
      at.now,
      files.map(() => newId()),
      files.map(({ path }) => path),
      files.map(({ sha256 }) => sha256),
      files.map(({ bytes }) => bytes),
      files.map(({ mediaType }) => mediaType),
      files.map(({ createdBy }) => createdBy),
    ],
    'registry.copyFiles',
  );
};

const insertText = `
  insert into model_version (id, workspace_id, model_id, version, description, metrics, params, lineage, source, run_id,
                             run_link, logged_model_id, created_by, created_at, submitted_at, digest, state,
                             state_message, intake_job_id, signature, intake)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14, $15, $16, $17, $18, $19, $20)`;

/**
 * Makes the next version of a locked model out of files that are stored already, closes it, and has it checked. Nothing
 * is read back, so everything is written together with the commit.
 */
export const addClosedVersion = async (
  { tx, actor, now, enqueue }: Surroundings,
  model: RegisteredModel,
  given: Required<Omit<NewVersion, 'number'>>,
  files: readonly GivenFile[],
): Promise<ClosedVersion> => {
  if (model.kind === 'ONNX') requireModelFile(files);
  const id = newId();
  const version = model.lastVersion + 1;
  const digest = digestOf(files);
  const subject = { kind: 'modelVersion', id };
  const { examine, state, stateMessage, found } = await outcomeOf(tx, digest, files);
  const jobId = examine ? enqueue(intake, { versionId: id }, { subject }) : null;
  const { description, metrics, params, lineage, source, runId, runLink, loggedModelId } = given;
  const report = found.intake ?? null;
  tx.atCommit(
    'update registered_model set last_version = $2, updated_at = $3 where id = $1',
    [model.id, version, now],
    'registry.nextVersion',
  );
  tx.atCommit(
    insertText,
    [
      ...[id, model.workspaceId, model.id, version, description],
      ...[JSON.stringify(metrics), JSON.stringify(params), JSON.stringify(lineage)],
      ...[source, runId, runLink, loggedModelId, actor.id, now, digest, state, stateMessage, jobId],
      ...[found.signature ? JSON.stringify(found.signature) : null, report ? JSON.stringify(report) : null],
    ],
    'registry.insertVersion',
  );
  insertFiles(tx, { versionId: id, workspaceId: model.workspaceId, now }, files);
  return {
    id,
    version,
    state,
    stateMessage,
    intake: report,
    audit: {
      subject,
      changes: {
        version: { from: null, to: version },
        digest: { from: null, to: digest },
        state: { from: null, to: state },
      },
      facts: {
        modelId: model.id,
        metrics,
        params,
        lineage,
        source,
        artifacts: files.map(({ path, sha256, bytes }) => ({ path, sha256, bytes })),
        message: stateMessage,
      },
    },
  };
};

/** Gives an open version its files, closes it, and has it checked; the version is locked. */
export const closeWithFiles = async (
  { tx, now, enqueue }: Pick<Surroundings, 'tx' | 'now' | 'enqueue'>,
  version: ModelVersion,
  files: readonly GivenFile[],
): Promise<AuditEntry> => {
  requireOpen(version);
  const { id, workspaceId } = version;
  const subject = { kind: 'modelVersion', id };
  const digest = digestOf(files);
  const { examine, state, stateMessage, found } = await outcomeOf(tx, digest, files);
  const intakeJobId = examine ? enqueue(intake, { versionId: id }, { subject }) : null;
  insertFiles(tx, { versionId: id, workspaceId, now }, files);
  await tx.update(
    ModelVersion,
    { id },
    { submittedAt: now, digest, state, stateMessage, intakeJobId, ...found },
  );
  return {
    subject,
    changes: { digest: { from: null, to: digest }, state: { from: version.state, to: state } },
    facts: {
      artifacts: files.map(({ path, sha256, bytes }) => ({ path, sha256, bytes })),
      message: stateMessage,
    },
  };
};
