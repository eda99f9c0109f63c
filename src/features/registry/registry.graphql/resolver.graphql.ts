import { Ctx, Resolver } from 'type-graphql';
import type { Page } from '../../../kernel/page.js';
import { ChangedType } from '../../../graphql/changed-type.js';
import type { Context } from '../../../graphql/context.js';
import { CommandField, Input, QueryArgs, QueryField, type InputOf } from '../../../graphql/fields.js';
import { deleteAlias, setAlias } from '../registry.commands/aliases.js';
import { createModel, deleteModel, renameModel, updateModel } from '../registry.commands/models.js';
import { deleteTag, setTag } from '../registry.commands/tags.js';
import { createModelVersion, deleteModelVersion, submitModelVersion } from '../registry.commands/versions.js';
import {
  listModels,
  listModelVersions,
  readModel,
  readModelVersion,
  type ModelView,
  type VersionView,
} from '../registry.queries.js';
import {
  ModelPage,
  ModelType,
  ModelVersionPage,
  ModelVersionType,
  SubmittedVersionType,
} from './types.graphql.js';

@Resolver()
export class RegistryResolver {
  @QueryField(readModel, () => ModelType)
  model(
    @QueryArgs(readModel) args: InputOf<typeof readModel>,
    @Ctx() { ask, actor }: Context,
  ): Promise<ModelView> {
    return ask(readModel, actor, args);
  }

  @QueryField(listModels, () => ModelPage)
  models(
    @QueryArgs(listModels) args: InputOf<typeof listModels>,
    @Ctx() { ask, actor }: Context,
  ): Promise<Page<ModelView>> {
    return ask(listModels, actor, args);
  }

  @QueryField(readModelVersion, () => ModelVersionType)
  modelVersion(
    @QueryArgs(readModelVersion) args: InputOf<typeof readModelVersion>,
    @Ctx() { ask, actor }: Context,
  ): Promise<VersionView> {
    return ask(readModelVersion, actor, args);
  }

  @QueryField(listModelVersions, () => ModelVersionPage)
  modelVersions(
    @QueryArgs(listModelVersions) args: InputOf<typeof listModelVersions>,
    @Ctx() { ask, actor }: Context,
  ): Promise<Page<VersionView>> {
    return ask(listModelVersions, actor, args);
  }

  @CommandField(createModel, () => ChangedType)
  createModel(
    @Input(createModel) input: InputOf<typeof createModel>,
    @Ctx() { run, actor }: Context,
  ): Promise<{ id: string }> {
    return run(createModel, actor, input);
  }

  @CommandField(updateModel, () => ChangedType)
  updateModel(
    @Input(updateModel) input: InputOf<typeof updateModel>,
    @Ctx() { run, actor }: Context,
  ): Promise<{ id: string }> {
    return run(updateModel, actor, input);
  }

  @CommandField(renameModel, () => ChangedType)
  renameModel(
    @Input(renameModel) input: InputOf<typeof renameModel>,
    @Ctx() { run, actor }: Context,
  ): Promise<{ id: string }> {
    return run(renameModel, actor, input);
  }

  @CommandField(deleteModel, () => ChangedType)
  deleteModel(
    @Input(deleteModel) input: InputOf<typeof deleteModel>,
    @Ctx() { run, actor }: Context,
  ): Promise<{ id: string }> {
    return run(deleteModel, actor, input);
  }

  @CommandField(createModelVersion, () => ChangedType)
  createModelVersion(
    @Input(createModelVersion) input: InputOf<typeof createModelVersion>,
    @Ctx() { run, actor }: Context,
  ): Promise<{ id: string }> {
    return run(createModelVersion, actor, input);
  }

  @CommandField(submitModelVersion, () => SubmittedVersionType)
  submitModelVersion(
    @Input(submitModelVersion) input: InputOf<typeof submitModelVersion>,
    @Ctx() { run, actor }: Context,
  ): Promise<SubmittedVersionType> {
    return run(submitModelVersion, actor, input);
  }

  @CommandField(deleteModelVersion, () => ChangedType)
  deleteModelVersion(
    @Input(deleteModelVersion) input: InputOf<typeof deleteModelVersion>,
    @Ctx() { run, actor }: Context,
  ): Promise<{ id: string }> {
    return run(deleteModelVersion, actor, input);
  }

  @CommandField(setAlias, () => ChangedType)
  setAlias(
    @Input(setAlias) input: InputOf<typeof setAlias>,
    @Ctx() { run, actor }: Context,
  ): Promise<{ id: string }> {
    return run(setAlias, actor, input);
  }

  @CommandField(deleteAlias, () => ChangedType)
  deleteAlias(
    @Input(deleteAlias) input: InputOf<typeof deleteAlias>,
    @Ctx() { run, actor }: Context,
  ): Promise<{ id: string }> {
    return run(deleteAlias, actor, input);
  }

  @CommandField(setTag, () => ChangedType)
  setTag(
    @Input(setTag) input: InputOf<typeof setTag>,
    @Ctx() { run, actor }: Context,
  ): Promise<{ id: string }> {
    return run(setTag, actor, input);
  }

  @CommandField(deleteTag, () => ChangedType)
  deleteTag(
    @Input(deleteTag) input: InputOf<typeof deleteTag>,
    @Ctx() { run, actor }: Context,
  ): Promise<{ id: string }> {
    return run(deleteTag, actor, input);
  }
}
