import { Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import { batched, groupBy } from '../../../graphql/batch.js';
import type { Context } from '../../../graphql/context.js';
import { VersionDataType } from '../../datasets/datasets.graphql.js';
import { dataOfModelVersions, type VersionData } from '../../datasets/index.js';
import {
  aliasesOfModels,
  artifactsOfVersions,
  modelsByIds,
  tagsOfModels,
  tagsOfVersions,
  versionsByIds,
  type AliasView,
} from '../registry.nested.js';
import {
  ArtifactType,
  LineageType,
  ModelAliasType,
  ModelType,
  ModelVersionType,
  TagType,
} from './types.graphql.js';

const byId = <Row extends { readonly id: string }>(rows: readonly Row[]): ReadonlyMap<string, Row> =>
  new Map(rows.map((row) => [row.id, row]));

const modelOf = (context: Context, id: string): Promise<ModelType | undefined> =>
  batched(context, 'model', id, async (ids) =>
    byId(await context.ask(modelsByIds, context.actor, { ids: [...ids] })),
  );

const versionOf = (context: Context, id: string): Promise<ModelVersionType | undefined> =>
  batched(context, 'modelVersion', id, async (ids) =>
    byId(await context.ask(versionsByIds, context.actor, { ids: [...ids] })),
  );

const aliasesOf = async (context: Context, modelId: string): Promise<AliasView[]> =>
  (await batched(context, 'aliases', modelId, async (ids) => {
    const rows = await context.ask(aliasesOfModels, context.actor, { ids: [...ids] });
    return groupBy(ids, rows, (row) => row.modelId);
  })) ?? [];

@Resolver(() => ModelType)
export class ModelFields {
  @FieldResolver(() => [ModelAliasType])
  aliases(@Root() model: ModelType, @Ctx() context: Context): Promise<ModelAliasType[]> {
    return aliasesOf(context, model.id);
  }

  @FieldResolver(() => [TagType])
  async tags(@Root() model: ModelType, @Ctx() context: Context): Promise<TagType[]> {
    const tags = await batched(context, 'model.tags', model.id, async (ids) => {
      const rows = await context.ask(tagsOfModels, context.actor, { ids: [...ids] });
      return groupBy(ids, rows, (row) => row.modelId);
    });
    return tags ?? [];
  }
}

@Resolver(() => ModelVersionType)
export class ModelVersionFields {
  @FieldResolver(() => ModelType, { nullable: true })
  model(@Root() version: ModelVersionType, @Ctx() context: Context): Promise<ModelType | undefined> {
    return modelOf(context, version.modelId);
  }

  @FieldResolver(() => [ArtifactType])
  async artifacts(@Root() version: ModelVersionType, @Ctx() context: Context): Promise<ArtifactType[]> {
    const artifacts = await batched(context, 'artifacts', version.id, async (ids) => {
      const rows = await context.ask(artifactsOfVersions, context.actor, { ids: [...ids] });
      return groupBy(ids, rows, (row) => row.versionId);
    });
    return artifacts ?? [];
  }

  @FieldResolver(() => [VersionDataType], {
    description: 'The data it was made from, and what is not known of that data.',
  })
  async data(@Root() version: ModelVersionType, @Ctx() context: Context): Promise<readonly VersionData[]> {
    const data = await batched(context, 'modelVersion.data', version.id, async (ids) => {
      const rows = await context.ask(dataOfModelVersions, context.actor, { ids: [...ids] });
      return groupBy(ids, rows, (row) => row.versionId);
    });
    return data ?? [];
  }

  @FieldResolver(() => [ModelAliasType], { description: 'The aliases that point to it.' })
  async aliases(@Root() version: ModelVersionType, @Ctx() context: Context): Promise<ModelAliasType[]> {
    const aliases = await aliasesOf(context, version.modelId);
    return aliases.filter((alias) => alias.versionId === version.id);
  }

  @FieldResolver(() => [TagType])
  async tags(@Root() version: ModelVersionType, @Ctx() context: Context): Promise<TagType[]> {
    const tags = await batched(context, 'modelVersion.tags', version.id, async (ids) => {
      const rows = await context.ask(tagsOfVersions, context.actor, { ids: [...ids] });
      return groupBy(ids, rows, (row) => row.versionId ?? '');
    });
    return tags ?? [];
  }
}

@Resolver(() => ModelAliasType)
export class ModelAliasFields {
  @FieldResolver(() => ModelVersionType, { nullable: true })
  version(@Root() alias: ModelAliasType, @Ctx() context: Context): Promise<ModelVersionType | undefined> {
    return versionOf(context, alias.versionId);
  }
}

@Resolver(() => LineageType)
export class LineageFields {
  @FieldResolver(() => ModelVersionType, { nullable: true })
  async parentVersion(
    @Root() lineage: LineageType,
    @Ctx() context: Context,
  ): Promise<ModelVersionType | null | undefined> {
    return lineage.parentVersionId === null ? null : versionOf(context, lineage.parentVersionId);
  }
}
