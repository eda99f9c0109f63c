import { z } from 'zod';
import type { ReadDb } from '../../kernel/db.js';
import { invalidInput, notFound } from '../../kernel/errors.js';
import { pageInput, pageOf, readCursor, type Page } from '../../kernel/page.js';
import { defineQuery } from '../../kernel/query.js';
import { Artifact } from './artifact.entity.js';
import type { JsonObject, Lineage, VersionState } from './model-version.entity.js';
import { artifactPath, foldName } from './names.js';
import type { ModelKind } from './registered-model.entity.js';
import { requireOpen, versionOr404 } from './registry.commands/find.js';

/** A model as shown. */
export interface ModelView {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly kind: ModelKind;
  readonly createdBy: string;
  readonly createdAt: Date;
  readonly deletedAt: Date | null;
}

/** A version as shown. */
export interface VersionView {
  readonly id: string;
  readonly modelId: string;
  readonly version: number;
  readonly state: VersionState;
  readonly stateMessage: string;
  readonly description: string;
  readonly submittedAt: Date | null;
  readonly digest: string | null;
  readonly intakeJobId: string | null;
  readonly signature: JsonObject | null;
  readonly intake: JsonObject | null;
  readonly metrics: JsonObject;
  readonly params: JsonObject;
  readonly lineage: Lineage;
  readonly createdBy: string;
  readonly createdAt: Date;
  readonly deletedAt: Date | null;
}

/** The columns of {@link ModelView}. */
export const modelSelect = `
  select id, name, description, kind, created_by as "createdBy", created_at as "createdAt", deleted_at as "deletedAt"
    from registered_model`;

/** The columns of {@link VersionView}. */
export const versionSelect = `
  select id, model_id as "modelId", version, state, state_message as "stateMessage", description, digest, signature,
         intake, metrics, params, lineage, submitted_at as "submittedAt", intake_job_id as "intakeJobId",
         created_by as "createdBy", created_at as "createdAt", deleted_at as "deletedAt"
    from model_version`;

/** Signs of `like` stand for themselves. */
const literal = (text: string): string => text.replace(/[\\%_]/g, (sign) => `\\${sign}`);

export const listModels = defineQuery({
  name: 'model.list',
  describe: 'The models of the workspace, oldest first; `search` looks for a part of the name.',
  permission: 'model:read',
  input: z.object({ search: z.string().trim().max(200).nullish(), ...pageInput }),
  handle: async ({ db, input }): Promise<Page<ModelView>> => {
    const after = readCursor(input.after);
    const search = input.search ? `%${literal(foldName(input.search))}%` : null;
    const rows = await db.sql<ModelView>(
      `${modelSelect}
        where deleted_at is null and ($1::uuid is null or id > $1::uuid) and ($2::text is null or folded like $2)
        order by id limit $3`,
      [after?.[0] ?? null, search, input.first + 1],
    );
    return pageOf(
      rows,
      input,
      (row) => [row.id],
      (row) => row,
    );
  },
});

const findModel = async (
  db: ReadDb,
  input: { id?: string | null | undefined; name?: string | null | undefined },
) => {
  if ((input.id ?? null) === (input.name ?? null)) {
    throw invalidInput('Give either the id or the name of the model', [
      { path: 'id', message: 'or name is required' },
    ]);
  }
  const [row] = await db.sql<ModelView>(
    `${modelSelect} where deleted_at is null and ($1::uuid is null or id = $1) and ($2::text is null or folded = $2)`,
    [input.id ?? null, input.name ? foldName(input.name) : null],
  );
  return row;
};

export const readModel = defineQuery({
  name: 'model.read',
  describe: 'One model, by id or by name.',
  permission: 'model:read',
  input: z.object({ id: z.uuid().nullish(), name: z.string().max(1000).nullish() }),
  handle: async ({ db, input }): Promise<ModelView> => {
    const row = await findModel(db, input);
    if (!row) throw notFound('The model');
    return row;
  },
});

export const listModelVersions = defineQuery({
  name: 'modelVersion.list',
  describe: 'The versions of a model, newest first.',
  permission: 'modelVersion:read',
  input: z.object({ modelId: z.uuid(), ...pageInput }),
  handle: async ({ db, input }): Promise<Page<VersionView>> => {
    if (!(await findModel(db, { id: input.modelId }))) throw notFound('The model');
    const after = readCursor(input.after, 'number');
    const rows = await db.sql<VersionView>(
      `${versionSelect}
        where model_id = $1 and deleted_at is null and ($2::int is null or version < $2::int)
        order by version desc limit $3`,
      [input.modelId, after?.[0] ?? null, input.first + 1],
    );
    return pageOf(
      rows,
      input,
      (row) => [row.version, row.id],
      (row) => row,
    );
  },
});

export const readModelVersion = defineQuery({
  name: 'modelVersion.read',
  describe: 'One version of a model.',
  permission: 'modelVersion:read',
  input: z.object({ id: z.uuid() }),
  handle: async ({ db, input }): Promise<VersionView> => {
    const [row] = await db.sql<VersionView>(`${versionSelect} where id = $1 and deleted_at is null`, [
      input.id,
    ]);
    if (!row) throw notFound('The version');
    return row;
  },
});

/** What the intake job works on. */
export const intakeTarget = defineQuery({
  name: 'modelVersion.intakeTarget',
  describe: 'A version with its artifacts, for intake.',
  permission: 'modelVersion:read',
  input: z.object({ versionId: z.uuid() }),
  handle: async ({ db, input }) => {
    const version = await versionOr404(db, input.versionId);
    const artifacts = await db.find(Artifact, { where: { versionId: version.id }, order: { path: 'ASC' } });
    return { version, artifacts };
  },
});

/** The version that waits for a job of intake, and why the job ended; null when none waits. */
export const intakeOfJob = defineQuery({
  name: 'modelVersion.intakeOfJob',
  describe: 'The version that waits for a job.',
  permission: 'modelVersion:read',
  input: z.object({ jobId: z.uuid() }),
  handle: async ({ db, input }): Promise<{ versionId: string; reason: string } | null> => {
    const [row] = await db.sql<{ versionId: string; reason: string }>(
      `select v.id as "versionId", coalesce(j.message, '') as reason
         from model_version v left join job j on j.id = v.intake_job_id
        where v.intake_job_id = $1 and v.state = 'PENDING_INTAKE' and v.deleted_at is null`,
      [input.jobId],
    );
    return row ?? null;
  },
});

/** Asked before the first byte of an upload is read: may this actor, and are the artifacts still open? */
export const uploadAdmission = defineQuery({
  name: 'artifact.admission',
  describe: 'Whether a file may be uploaded into a version.',
  permission: 'artifact:upload',
  input: z.object({ versionId: z.uuid(), path: artifactPath }),
  handle: async ({ db, input }) => {
    const version = await versionOr404(db, input.versionId);
    requireOpen(version);
    return { versionId: version.id };
  },
});

export const readArtifact = defineQuery({
  name: 'artifact.read',
  describe: 'Where the content of an artifact is; leaves a trace.',
  permission: 'artifact:read',
  input: z.object({ versionId: z.uuid(), path: artifactPath }),
  recordAccess: ({ versionId, path }, { id, sha256 }: Artifact) => ({
    subject: { kind: 'artifact', id },
    facts: { versionId, path, sha256 },
  }),
  handle: async ({ db, input }): Promise<Artifact> => {
    await versionOr404(db, input.versionId);
    const artifact = await db.findOne(Artifact, { versionId: input.versionId, path: input.path });
    if (!artifact) throw notFound('The artifact');
    return artifact;
  },
});
