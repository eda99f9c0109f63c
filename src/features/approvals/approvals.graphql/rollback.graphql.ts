import { GraphQLJSON } from 'graphql-scalars';
import { Ctx, Field, ID, Int, ObjectType, Resolver } from 'type-graphql';
import type { Context } from '../../../graphql/context.js';
import { CommandField, Input, type InputOf } from '../../../graphql/fields.js';
import { rollbackAlias } from '../approvals.commands/rollback.js';

@ObjectType('RollbackDifference', { description: 'What is no longer as it was approved.' })
export class RollbackDifferenceType {
  @Field(() => String)
  entry!: string;

  @Field(() => GraphQLJSON, { nullable: true })
  from!: unknown;

  @Field(() => GraphQLJSON, { nullable: true })
  to!: unknown;
}

@ObjectType('RollbackBlocker', { description: 'What stands in the way of going back at once.' })
export class RollbackBlockerType {
  @Field(() => String)
  rule!: string;

  @Field(() => String)
  message!: string;
}

@ObjectType('Rollback', { description: 'An alias that moved back, or the request that asks for it.' })
export class RollbackType {
  @Field(() => ID, { description: 'The alias.' })
  id!: string;

  @Field(() => Boolean, { description: 'Whether it moved at once.' })
  executed!: boolean;

  @Field(() => ID, { description: 'The earlier request that it rests on, or the one that was opened.' })
  changeRequestId!: string;

  @Field(() => Int)
  number!: number;

  @Field(() => [RollbackDifferenceType])
  differences!: readonly RollbackDifferenceType[];

  @Field(() => [RollbackBlockerType])
  blockers!: readonly RollbackBlockerType[];
}

@Resolver()
export class RollbackResolver {
  @CommandField(rollbackAlias, () => RollbackType)
  rollbackAlias(
    @Input(rollbackAlias) input: InputOf<typeof rollbackAlias>,
    @Ctx() { run, actor }: Context,
  ): Promise<RollbackType> {
    return run(rollbackAlias, actor, input);
  }
}
