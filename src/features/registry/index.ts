export { Artifact } from './artifact.entity.js';
export { compareEntries, type Compared } from './differences.js';
export { lineageActors } from './lineage.js';
export { manifestName, manifestPath } from './manifest.js';
export { ModelAlias } from './model-alias.entity.js';
export { ModelTag } from './model-tag.entity.js';
export { modelDescription } from './mlmodel.js';
export {
  type LineageDataset,
  ModelVersion,
  stages,
  versionState,
  type Lineage,
  type Stage,
  type VersionState,
} from './model-version.entity.js';
export { aliasName, artifactPath, foldName, matchesPattern, modelName } from './names.js';
export {
  holdPolicy,
  isProtected,
  protectedAliasPatterns,
  protectedNamesOf,
  replacePolicy,
} from './protection.js';
export { modelKind, RegisteredModel, type ModelKind } from './registered-model.entity.js';
export {
  deleteAlias,
  moveAlias,
  setAlias,
  type AliasMove,
  type MovedAlias,
} from './registry.commands/aliases.js';
export { recordArtifact } from './registry.commands/artifacts.js';
export { lockModel, lockModelNamed, lockVersion, versionOr404 } from './registry.commands/find.js';
export { createModel, deleteModel, renameModel, updateModel } from './registry.commands/models.js';
export { recordIntake } from './registry.commands/record-intake.js';
export { deleteTag, isReservedTag, registeredByTag, setTag } from './registry.commands/tags.js';
export { intakeChecks } from './same-bytes.js';
export {
  addClosedVersion,
  closeWithFiles,
  type ClosedVersion,
  type GivenFile,
} from './registry.commands/closed-version.js';
export { setStage, stageNamed } from './registry.commands/stages.js';
export {
  addVersion,
  createModelVersion,
  deleteModelVersion,
  describeModelVersion,
  submitModelVersion,
} from './registry.commands/versions.js';
