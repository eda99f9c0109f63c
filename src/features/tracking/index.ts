export { Experiment } from './experiment.entity.js';
export type { FileOwner } from './file-place.js';
export { hexOf, loggedModelId, loggedModelIdOf, parseLoggedModelId, parseRunId, runIdOf } from './ids.js';
export { entityKey, int64, measured } from './limits.js';
export { LoggedModel, type LoggedModelState } from './logged-model.entity.js';
export { TrackedFile } from './tracked-file.entity.js';
export {
  createExperiment,
  openDefaultExperiment,
  renameExperiment,
  retireExperiment,
  tagExperiment,
} from './tracking.commands/experiments.js';
export { putTrackedFile, removeTrackedFiles } from './tracking.commands/files.js';
export {
  addLoggedModelParams,
  createLoggedModel,
  deleteLoggedModel,
  finalizeLoggedModel,
  tagLoggedModel,
} from './tracking.commands/logged-models.js';
export { logBatch } from './tracking.records/batch.js';
export { logInputs } from './tracking.records/inputs.js';
export { retireRun, startRun, updateRun } from './tracking.records/runs.js';
