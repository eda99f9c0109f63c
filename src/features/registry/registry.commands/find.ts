import type { ReadDb, Tx } from '../../../kernel/db.js';
import { conflict, notFound } from '../../../kernel/errors.js';
import { ModelVersion } from '../model-version.entity.js';
import { RegisteredModel } from '../registered-model.entity.js';

/** The model, locked until the transaction ends, or NOT_FOUND; what was deleted is not found. */
export const lockModel = async (tx: Tx, id: string): Promise<RegisteredModel> => {
  const model = await tx.lock(RegisteredModel, { id });
  if (!model || model.deletedAt !== null) throw notFound('The model');
  return model;
};

/** The version, or NOT_FOUND; what was deleted is not found. */
export const versionOr404 = async (db: ReadDb, id: string): Promise<ModelVersion> => {
  const version = await db.findOne(ModelVersion, { id });
  if (!version || version.deletedAt !== null) throw notFound('The version');
  return version;
};

/** The version, locked until the transaction ends, or NOT_FOUND. */
export const lockVersion = async (tx: Tx, id: string): Promise<ModelVersion> => {
  const version = await tx.lock(ModelVersion, { id });
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
