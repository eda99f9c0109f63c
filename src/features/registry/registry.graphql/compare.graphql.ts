import { GraphQLJSON } from 'graphql-scalars';
import { Ctx, Field, ID, Int, ObjectType, Resolver } from 'type-graphql';
import type { Context } from '../../../graphql/context.js';
import { QueryArgs, QueryField, type InputOf } from '../../../graphql/fields.js';
import { enumType } from '../../../graphql/input-types.js';
import { compareVersions, type VersionComparison } from '../compare.queries.js';
import { entryChange } from '../differences.js';
import { ModelVersionType } from './types.graphql.js';

const EntryChangeEnum = enumType(entryChange);

@ObjectType('ComparedEntry', { description: 'An entry that is not the same in both versions.' })
export class ComparedEntryType {
  @Field(() => String)
  name!: string;

  @Field(() => EntryChangeEnum)
  change!: string;

  @Field(() => GraphQLJSON, { nullable: true })
  from!: unknown;

  @Field(() => GraphQLJSON, { nullable: true })
  to!: unknown;
}

@ObjectType('Compared', { description: 'Entries of one kind, held against each other by name.' })
export class ComparedType {
  @Field(() => [ComparedEntryType])
  differences!: readonly ComparedEntryType[];

  @Field(() => Int, { description: 'How many entries are the same in both.' })
  unchanged!: number;
}

@ObjectType('VersionComparison', { description: 'Two versions held against each other.' })
export class VersionComparisonType {
  @Field(() => ModelVersionType)
  from!: ModelVersionType;

  @Field(() => ModelVersionType)
  to!: ModelVersionType;

  @Field(() => ID, { nullable: true, description: 'The use in which cards and evidence are compared.' })
  useCaseId!: string | null;

  @Field(() => Boolean, { description: 'Whether both have the same files.' })
  sameContent!: boolean;

  @Field(() => ComparedType)
  metrics!: ComparedType;

  @Field(() => ComparedType)
  params!: ComparedType;

  @Field(() => ComparedType, { description: 'Inputs, outputs and members by name.' })
  signature!: ComparedType;

  @Field(() => ComparedType, {
    description: 'What the versions were made from: role and name, and the digest.',
  })
  datasets!: ComparedType;

  @Field(() => ComparedType, { description: 'Files by path, with their digests.' })
  artifacts!: ComparedType;
}

@Resolver()
export class ComparisonResolver {
  @QueryField(compareVersions, () => VersionComparisonType)
  compareVersions(
    @QueryArgs(compareVersions) args: InputOf<typeof compareVersions>,
    @Ctx() { ask, actor }: Context,
  ): Promise<VersionComparison> {
    return ask(compareVersions, actor, args);
  }
}
