import type { ReadDb, Tx } from '../../../kernel/db.js';
import { conflict, notFound } from '../../../kernel/errors.js';
import type { ModelVersion } from '../model-version.entity.js';
import { foldName } from '../names.js';
import type { RegisteredModel } from '../registered-model.entity.js';

/*
 * Read by named statements, which PostgreSQL plans once per connection: every change of the registry begins with these.
 */

const modelText = `
  select id, workspace_id as "workspaceId", name, folded, description, kind, last_version as "lastVersion",
         created_by as "createdBy", created_at as "createdAt", updated_at as "updatedAt", deleted_at as "deletedAt"
    from registered_model`;

const versionText = `
  select id, workspace_id as "workspaceId", model_id as "modelId", version, state, state_message as "stateMessage",
         description, submitted_at as "submittedAt", digest, intake_job_id as "intakeJobId", signature, intake, metrics,
         params, lineage, stage, source, run_id as "runId", run_link as "runLink", logged_model_id as "loggedModelId",
         created_by as "createdBy", created_at as "createdAt", updated_at as "updatedAt", deleted_at as "deletedAt"
    from model_version where id = $1`;

/** The model, locked until the transaction ends, or NOT_FOUND; what was deleted is not found. */
export const lockModel = async (tx: Tx, id: string): Promise<RegisteredModel> => {
  const [model] = await tx.sql<RegisteredModel>(
    `${modelText} where id = $1 for update`,
    [id],
    'registry.lockModel',
  );
  if (!model || model.deletedAt !== null) throw notFound('The model');
  return model;
};

/** The model whose name reads as this one, locked until the transaction ends, or null. */
export const lockModelNamed = async (tx: Tx, name: string): Promise<RegisteredModel | null> => {
  const text = `${modelText} where folded = $1 and deleted_at is null for update`;
  const [model] = await tx.sql<RegisteredModel>(text, [foldName(name)], 'registry.lockModelNamed');
  return model ?? null;
};

/** The version, or NOT_FOUND; what was deleted is not found. */
export const versionOr404 = async (db: ReadDb, id: string): Promise<ModelVersion> => {
  const [version] = await db.sql<ModelVersion>(versionText, [id], 'registry.version');
  if (!version || version.deletedAt !== null) throw notFound('The version');
  return version;
};

/** The version, locked until the transaction ends, or NOT_FOUND. */
export const lockVersion = async (tx: Tx, id: string): Promise<ModelVersion> => {
  const [version] = await tx.sql<ModelVersion>(`${versionText} for update`, [id], 'registry.lockVersion');
  if (!version || version.deletedAt !== null) throw notFound('The version');
  return version;
};

/** Model first, then version: everybody locks in this order, so that nobody waits in a circle. */
export const lockModelAndVersion = async (
  tx: Tx,
  versionId: string,
): Promise<{ model: RegisteredModel; version: ModelVersion }> => {
  const { modelId } = await versionOr404(tx, versionId);
  const model = await lockModel(tx, modelId);
  return { model, version: await lockVersion(tx, versionId) };
};

/** Refuses a version whose artifacts are closed. */
export const requireOpen = (version: ModelVersion): void => {
  if (version.submittedAt === null) return;
  throw conflict(
    `Version ${String(version.version)} was submitted: its artifacts can no longer be added or changed. Create a new version.`,
    { rule: 'artifacts-closed', state: version.state },
  );
};
