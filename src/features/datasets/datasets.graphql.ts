import { GraphQLDateTimeISO, GraphQLJSON } from 'graphql-scalars';
import { Ctx, Field, FieldResolver, Float, ID, Int, ObjectType, Resolver, Root } from 'type-graphql';
import type { Page } from '../../kernel/page.js';
import { batched } from '../../graphql/batch.js';
import { ChangedType } from '../../graphql/changed-type.js';
import type { Context } from '../../graphql/context.js';
import { CommandField, Input, QueryArgs, QueryField, type InputOf } from '../../graphql/fields.js';
import { enumType } from '../../graphql/input-types.js';
import { pageType } from '../../graphql/page-type.js';
import {
  datasetSource,
  profileState,
  type DatasetSource,
  type ProfileState,
} from './dataset-version.entity.js';
import { createDataset, deleteDataset, updateDataset } from './datasets.commands/datasets.js';
import {
  createDatasetVersion,
  deleteDatasetVersion,
  documentDatasetVersion,
} from './datasets.commands/versions.js';
import {
  datasetsByIds,
  datasetVersionsByIds,
  listDatasets,
  listDatasetVersions,
  readDataset,
  readDatasetVersion,
  type DatasetVersionView,
  type DatasetView,
} from './datasets.queries.js';

// Registered when the module loads: inside of a field it would come too late for the schema.
const SourceEnum = enumType(datasetSource);
const ProfileStateEnum = enumType(profileState);

@ObjectType('Dataset', { description: 'Data by name; its versions are numbered.' })
export class DatasetType {
  @Field(() => ID)
  id!: string;

  @Field(() => String)
  name!: string;

  @Field(() => String)
  description!: string;

  @Field(() => ID)
  createdBy!: string;

  @Field(() => GraphQLDateTimeISO)
  createdAt!: Date;

  @Field(() => GraphQLDateTimeISO, { nullable: true })
  deletedAt!: Date | null;
}

@ObjectType('DatasetColumn', { description: 'A column of the data.' })
export class DatasetColumnType {
  @Field(() => String)
  name!: string;

  @Field(() => String)
  type!: string;
}

@ObjectType('DatasetVersion', {
  description: 'One numbered version of a data set; its content never changes.',
})
export class DatasetVersionType {
  @Field(() => ID)
  id!: string;

  @Field(() => ID)
  datasetId!: string;

  @Field(() => Int)
  version!: number;

  @Field(() => SourceEnum)
  source!: DatasetSource;

  @Field(() => String, { nullable: true, description: 'The digest of its content; null until that came.' })
  sha256!: string | null;

  @Field(() => Float, { nullable: true })
  bytes!: number | null;

  @Field(() => String, { nullable: true, description: 'Where content is that is not kept here.' })
  uri!: string | null;

  @Field(() => String)
  description!: string;

  @Field(() => String, { nullable: true })
  licence!: string | null;

  @Field(() => String, { nullable: true, description: 'Where it comes from, and how it was gathered.' })
  provenance!: string | null;

  @Field(() => [String], { description: 'Columns that tell to which group a person belongs.' })
  protectedAttributes!: readonly string[];

  @Field(() => [DatasetColumnType], { nullable: true })
  columns!: readonly DatasetColumnType[] | null;

  @Field(() => Float, { nullable: true })
  rowCount!: number | null;

  @Field(() => GraphQLJSON, {
    nullable: true,
    description: 'Distributions, missing values, correlations, sizes of protected groups, duplicates.',
  })
  profile!: object | null;

  @Field(() => ProfileStateEnum)
  profileState!: ProfileState;

  @Field(() => String, { description: 'Why the profile is in this state.' })
  profileMessage!: string;

  @Field(() => ID, { nullable: true, description: 'The job that profiles it; watch it as `job`.' })
  profileJobId!: string | null;

  @Field(() => ID)
  createdBy!: string;

  @Field(() => GraphQLDateTimeISO)
  createdAt!: Date;

  @Field(() => GraphQLDateTimeISO, { nullable: true, description: 'When its content was known.' })
  registeredAt!: Date | null;

  @Field(() => GraphQLDateTimeISO, { nullable: true })
  deletedAt!: Date | null;
}

@ObjectType('VersionData', { description: 'Data that a version of a model was made from.' })
export class VersionDataType {
  @Field(() => String)
  name!: string;

  @Field(() => String)
  sha256!: string;

  @Field(() => String)
  role!: string;

  @Field(() => ID, { nullable: true, description: 'The registered data with this content.' })
  datasetVersionId!: string | null;

  @Field(() => [String], {
    description: 'What is not known of it: registration, licence, provenance, profile.',
  })
  missing!: readonly string[];
}

const DatasetPage = pageType('Dataset', DatasetType);
const DatasetVersionPage = pageType('DatasetVersion', DatasetVersionType);

@Resolver(() => DatasetVersionType)
export class DatasetVersionFields {
  @FieldResolver(() => DatasetType, { nullable: true })
  dataset(@Root() version: DatasetVersionType, @Ctx() context: Context): Promise<DatasetView | undefined> {
    return batched(context, 'dataset', version.datasetId, async (ids) => {
      const rows = await context.ask(datasetsByIds, context.actor, { ids: [...ids] });
      return new Map(rows.map((row) => [row.id, row]));
    });
  }
}

@Resolver(() => VersionDataType)
export class VersionDataFields {
  @FieldResolver(() => DatasetVersionType, { nullable: true })
  async datasetVersion(
    @Root() { datasetVersionId: id }: VersionDataType,
    @Ctx() context: Context,
  ): Promise<DatasetVersionView | null | undefined> {
    if (id === null) return null;
    return batched(context, 'datasetVersion', id, async (ids) => {
      const rows = await context.ask(datasetVersionsByIds, context.actor, { ids: [...ids] });
      return new Map(rows.map((row) => [row.id, row]));
    });
  }
}

@Resolver()
export class DatasetsResolver {
  @QueryField(readDataset, () => DatasetType)
  dataset(
    @QueryArgs(readDataset) args: InputOf<typeof readDataset>,
    @Ctx() { ask, actor }: Context,
  ): Promise<DatasetView> {
    return ask(readDataset, actor, args);
  }

  @QueryField(listDatasets, () => DatasetPage)
  datasets(
    @QueryArgs(listDatasets) args: InputOf<typeof listDatasets>,
    @Ctx() { ask, actor }: Context,
  ): Promise<Page<DatasetView>> {
    return ask(listDatasets, actor, args);
  }

  @QueryField(readDatasetVersion, () => DatasetVersionType)
  datasetVersion(
    @QueryArgs(readDatasetVersion) args: InputOf<typeof readDatasetVersion>,
    @Ctx() { ask, actor }: Context,
  ): Promise<DatasetVersionView> {
    return ask(readDatasetVersion, actor, args);
  }

  @QueryField(listDatasetVersions, () => DatasetVersionPage)
  datasetVersions(
    @QueryArgs(listDatasetVersions) args: InputOf<typeof listDatasetVersions>,
    @Ctx() { ask, actor }: Context,
  ): Promise<Page<DatasetVersionView>> {
    return ask(listDatasetVersions, actor, args);
  }

  @CommandField(createDataset, () => ChangedType)
  createDataset(
    @Input(createDataset) input: InputOf<typeof createDataset>,
    @Ctx() { run, actor }: Context,
  ): Promise<{ id: string }> {
    return run(createDataset, actor, input);
  }

  @CommandField(updateDataset, () => ChangedType)
  updateDataset(
    @Input(updateDataset) input: InputOf<typeof updateDataset>,
    @Ctx() { run, actor }: Context,
  ): Promise<{ id: string }> {
    return run(updateDataset, actor, input);
  }

  @CommandField(deleteDataset, () => ChangedType)
  deleteDataset(
    @Input(deleteDataset) input: InputOf<typeof deleteDataset>,
    @Ctx() { run, actor }: Context,
  ): Promise<{ id: string }> {
    return run(deleteDataset, actor, input);
  }

  @CommandField(createDatasetVersion, () => ChangedType)
  createDatasetVersion(
    @Input(createDatasetVersion) input: InputOf<typeof createDatasetVersion>,
    @Ctx() { run, actor }: Context,
  ): Promise<{ id: string }> {
    return run(createDatasetVersion, actor, input);
  }

  @CommandField(documentDatasetVersion, () => ChangedType)
  documentDatasetVersion(
    @Input(documentDatasetVersion) input: InputOf<typeof documentDatasetVersion>,
    @Ctx() { run, actor }: Context,
  ): Promise<{ id: string }> {
    return run(documentDatasetVersion, actor, input);
  }

  @CommandField(deleteDatasetVersion, () => ChangedType)
  deleteDatasetVersion(
    @Input(deleteDatasetVersion) input: InputOf<typeof deleteDatasetVersion>,
    @Ctx() { run, actor }: Context,
  ): Promise<{ id: string }> {
    return run(deleteDatasetVersion, actor, input);
  }
}
