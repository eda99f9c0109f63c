import type { ReadDb, Tx } from '../../../kernel/db.js';
import { conflict, notFound } from '../../../kernel/errors.js';
import { Dataset } from '../dataset.entity.js';
import { DatasetVersion } from '../dataset-version.entity.js';

/** The data set, locked until the transaction ends, or NOT_FOUND; what was deleted is not found. */
export const lockDataset = async (tx: Tx, id: string): Promise<Dataset> => {
  const dataset = await tx.lock(Dataset, { id });
  if (!dataset || dataset.deletedAt !== null) throw notFound('The data set');
  return dataset;
};

/** The version, or NOT_FOUND; what was deleted is not found. */
export const datasetVersionOr404 = async (db: ReadDb, id: string): Promise<DatasetVersion> => {
  const version = await db.findOne(DatasetVersion, { id });
  if (!version || version.deletedAt !== null) throw notFound('The version of the data set');
  return version;
};

/** The version, locked: first its data set, then itself, as everybody does. */
export const lockDatasetVersion = async (tx: Tx, id: string): Promise<DatasetVersion> => {
  const { datasetId } = await datasetVersionOr404(tx, id);
  await lockDataset(tx, datasetId);
  const version = await tx.lock(DatasetVersion, { id });
  if (!version || version.deletedAt !== null) throw notFound('The version of the data set');
  return version;
};

/** Refuses a version that has its content. */
export const requireOpen = (version: DatasetVersion): void => {
  if (version.sha256 === null) return;
  throw conflict(
    `Version ${String(version.version)} has its content, which never changes. Create a new version.`,
    { rule: 'content-closed', sha256: version.sha256 },
  );
};
