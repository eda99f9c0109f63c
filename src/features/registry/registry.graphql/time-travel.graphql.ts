import { GraphQLDateTimeISO, GraphQLJSON } from 'graphql-scalars';
import { Ctx, Field, ID, Int, ObjectType, Resolver } from 'type-graphql';
import type { Context } from '../../../graphql/context.js';
import { QueryArgs, QueryField, type InputOf } from '../../../graphql/fields.js';
import { modelAt, type ModelAt } from '../time-travel/model-at.js';

@ObjectType('Tombstone', { description: 'When something was deleted, and by whom.' })
export class TombstoneType {
  @Field(() => GraphQLDateTimeISO)
  at!: Date;

  @Field(() => ID)
  by!: string;
}

@ObjectType('CardAt', { description: 'What people had attested about a version in a use case.' })
export class CardAtType {
  @Field(() => ID)
  id!: string;

  @Field(() => Int)
  revision!: number;

  @Field(() => GraphQLJSON, { description: 'Field → value, who said so and when.' })
  fields!: object;
}

@ObjectType('AliasAt', { description: 'What a name pointed to.' })
export class AliasAtType {
  @Field(() => String)
  name!: string;

  @Field(() => ID)
  versionId!: string;

  @Field(() => Int)
  version!: number;

  @Field(() => ID, { nullable: true })
  useCaseId!: string | null;

  @Field(() => ID, { nullable: true, description: 'The change request that had moved it.' })
  changeRequestId!: string | null;

  @Field(() => GraphQLDateTimeISO)
  movedAt!: Date;

  @Field(() => ID)
  movedBy!: string;

  @Field(() => CardAtType, { nullable: true })
  card!: CardAtType | null;
}

@ObjectType('StageAt', { description: 'Where a version stood in its life.' })
export class StageAtType {
  @Field(() => ID)
  versionId!: string;

  @Field(() => Int)
  version!: number;

  @Field(() => String)
  stage!: string;

  @Field(() => GraphQLDateTimeISO)
  since!: Date;

  @Field(() => ID)
  by!: string;
}

@ObjectType('PolicyAt', { description: 'The approval policy that ruled.' })
export class PolicyAtType {
  @Field(() => Int, {
    description: '0: the workspace had set none; what the installation starts with ruled.',
  })
  revision!: number;

  @Field(() => String, { nullable: true })
  sha256!: string | null;

  @Field(() => String, { nullable: true })
  source!: string | null;

  @Field(() => GraphQLJSON, { nullable: true })
  document!: object | null;

  @Field(() => GraphQLDateTimeISO, { nullable: true })
  since!: Date | null;
}

@ObjectType('ApprovalAt', { description: 'A decision that counted.' })
export class ApprovalAtType {
  @Field(() => ID)
  id!: string;

  @Field(() => String)
  verdict!: string;

  @Field(() => String)
  role!: string;

  @Field(() => ID)
  by!: string;

  @Field(() => GraphQLDateTimeISO)
  at!: Date;

  @Field(() => String)
  reason!: string;

  @Field(() => String)
  manifestSha256!: string;
}

@ObjectType('ChangeRequestAt', { description: 'A change request as it stood.' })
export class ChangeRequestAtType {
  @Field(() => ID)
  id!: string;

  @Field(() => Int)
  number!: number;

  @Field(() => String, { nullable: true })
  alias!: string | null;

  @Field(() => ID, { nullable: true })
  versionId!: string | null;

  @Field(() => ID, { nullable: true })
  useCaseId!: string | null;

  @Field(() => ID)
  requestedBy!: string;

  @Field(() => String)
  state!: string;

  @Field(() => [ApprovalAtType], { description: 'The decisions that counted then; void ones did not.' })
  approvals!: readonly ApprovalAtType[];
}

@ObjectType('ModelAt', { description: 'A model as it was at a time.' })
export class ModelAtType {
  @Field(() => ID)
  modelId!: string;

  @Field(() => GraphQLDateTimeISO)
  time!: Date;

  @Field(() => String)
  name!: string;

  @Field(() => TombstoneType, { nullable: true, description: 'When it had been deleted by then.' })
  tombstone!: TombstoneType | null;

  @Field(() => [AliasAtType])
  aliases!: readonly AliasAtType[];

  @Field(() => [StageAtType])
  stages!: readonly StageAtType[];

  @Field(() => PolicyAtType)
  policy!: PolicyAtType;

  @Field(() => [ChangeRequestAtType], {
    description: 'What had moved the aliases that stood, and what waited.',
  })
  requests!: readonly ChangeRequestAtType[];
}

@Resolver()
export class TimeTravelResolver {
  @QueryField(modelAt, () => ModelAtType)
  modelAt(
    @QueryArgs(modelAt) args: InputOf<typeof modelAt>,
    @Ctx() { ask, actor }: Context,
  ): Promise<ModelAt> {
    return ask(modelAt, actor, args);
  }
}
