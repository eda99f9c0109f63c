import { GraphQLDateTimeISO, GraphQLJSON } from 'graphql-scalars';
import { Field, Float, ID, Int, ObjectType } from 'type-graphql';
import { enumType } from '../../../graphql/input-types.js';
import { pageType } from '../../../graphql/page-type.js';
import { versionState, type VersionState } from '../model-version.entity.js';
import { modelKind, type ModelKind } from '../registered-model.entity.js';

// Registered when the module loads: inside of a field it would come too late for the schema.
const ModelKindEnum = enumType(modelKind);
const VersionStateEnum = enumType(versionState);

@ObjectType('Artifact', { description: 'A file of a version, kept under its digest.' })
export class ArtifactType {
  @Field(() => ID)
  id!: string;

  @Field(() => ID)
  versionId!: string;

  @Field(() => String)
  path!: string;

  @Field(() => String)
  sha256!: string;

  @Field(() => Float)
  bytes!: number;

  @Field(() => String)
  mediaType!: string;

  @Field(() => ID)
  createdBy!: string;

  @Field(() => GraphQLDateTimeISO)
  createdAt!: Date;
}

@ObjectType('Tag', { description: 'A key with a value.' })
export class TagType {
  @Field(() => ID)
  id!: string;

  @Field(() => String)
  key!: string;

  @Field(() => String)
  value!: string;

  @Field(() => ID)
  setBy!: string;

  @Field(() => GraphQLDateTimeISO)
  setAt!: Date;
}

@ObjectType('LineageDataset', { description: 'A data set that a version was made from.' })
export class LineageDatasetType {
  @Field(() => String)
  name!: string;

  @Field(() => String)
  sha256!: string;

  @Field(() => String)
  role!: string;
}

@ObjectType('Lineage', { description: 'Where a version comes from.' })
export class LineageType {
  @Field(() => String, { nullable: true })
  run!: string | null;

  @Field(() => String, { nullable: true })
  codeCommit!: string | null;

  @Field(() => [LineageDatasetType])
  datasets!: readonly LineageDatasetType[];

  @Field(() => ID, { nullable: true })
  parentVersionId!: string | null;
}

@ObjectType('Model', { description: 'A model by name; its versions are numbered.' })
export class ModelType {
  @Field(() => ID)
  id!: string;

  @Field(() => String)
  name!: string;

  @Field(() => String)
  description!: string;

  @Field(() => ModelKindEnum)
  kind!: ModelKind;

  @Field(() => ID)
  createdBy!: string;

  @Field(() => GraphQLDateTimeISO)
  createdAt!: Date;

  @Field(() => GraphQLDateTimeISO, { nullable: true })
  deletedAt!: Date | null;
}

@ObjectType('ModelVersion', { description: 'One numbered version of a model.' })
export class ModelVersionType {
  @Field(() => ID)
  id!: string;

  @Field(() => ID)
  modelId!: string;

  @Field(() => Int)
  version!: number;

  @Field(() => VersionStateEnum)
  state!: VersionState;

  @Field(() => String, { description: 'Why it is in this state.' })
  stateMessage!: string;

  @Field(() => String)
  description!: string;

  @Field(() => GraphQLDateTimeISO, { nullable: true, description: 'When its artifacts were closed.' })
  submittedAt!: Date | null;

  @Field(() => String, { nullable: true, description: 'sha256 over the paths and digests of its artifacts.' })
  digest!: string | null;

  @Field(() => ID, { nullable: true, description: 'The job that checks it; watch it as `job`.' })
  intakeJobId!: string | null;

  @Field(() => GraphQLJSON, { nullable: true, description: 'Inputs and outputs.' })
  signature!: object | null;

  @Field(() => GraphQLJSON, { nullable: true, description: 'What intake found, file by file.' })
  intake!: object | null;

  @Field(() => GraphQLJSON)
  metrics!: object;

  @Field(() => GraphQLJSON)
  params!: object;

  @Field(() => LineageType)
  lineage!: LineageType;

  @Field(() => ID)
  createdBy!: string;

  @Field(() => GraphQLDateTimeISO)
  createdAt!: Date;

  @Field(() => GraphQLDateTimeISO, { nullable: true })
  deletedAt!: Date | null;
}

@ObjectType('ModelAlias', { description: 'A name that points to one version of a model.' })
export class ModelAliasType {
  @Field(() => ID)
  id!: string;

  @Field(() => ID)
  modelId!: string;

  @Field(() => String)
  name!: string;

  @Field(() => ID)
  versionId!: string;

  @Field(() => ID, { nullable: true })
  useCaseId!: string | null;

  @Field(() => GraphQLDateTimeISO)
  movedAt!: Date;

  @Field(() => ID)
  movedBy!: string;

  @Field(() => ID, { nullable: true, description: 'The change request that moved it.' })
  changeRequestId!: string | null;

  @Field(() => Boolean, { description: 'Whether it moves only through an approved change request.' })
  protected!: boolean;
}

@ObjectType('SubmittedVersion', { description: 'A submitted version, and the job that checks it.' })
export class SubmittedVersionType {
  @Field(() => ID)
  id!: string;

  @Field(() => ID, { nullable: true })
  jobId!: string | null;
}

export const ModelPage = pageType('Model', ModelType);
export const ModelVersionPage = pageType('ModelVersion', ModelVersionType);
