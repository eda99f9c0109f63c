export { DataQualityCheck } from './data-quality-check.entity.js';
export { Dataset } from './dataset.entity.js';
export { DatasetVersion } from './dataset-version.entity.js';
export { createDataset, deleteDataset } from './datasets.commands/datasets.js';
export {
  createDatasetVersion,
  deleteDatasetVersion,
  documentDatasetVersion,
  recordDatasetContent,
} from './datasets.commands/versions.js';
export { dataOfModelVersions } from './datasets.queries.js';
export { dataOfVersions, knownData, type KnownData, type VersionData } from './documentation.js';
