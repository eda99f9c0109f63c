import { GraphQLDateTimeISO } from 'graphql-scalars';
import { Ctx, Field, ID, ObjectType, Resolver } from 'type-graphql';
import type { Page } from '../../../kernel/page.js';
import { ChangedType } from '../../../graphql/changed-type.js';
import type { Context } from '../../../graphql/context.js';
import { CommandField, Input, QueryArgs, QueryField, type InputOf } from '../../../graphql/fields.js';
import { pageType } from '../../../graphql/page-type.js';
import { createDelegation, revokeDelegation } from '../approvals.commands/delegation.js';
import { listDelegations, type DelegationView } from '../approvals.queries/delegations.js';

@ObjectType('Delegation', { description: 'A role that one member lends to another until a date.' })
export class DelegationType {
  @Field(() => ID)
  id!: string;

  @Field(() => ID)
  fromUserId!: string;

  @Field(() => String, { nullable: true })
  fromName!: string | null;

  @Field(() => ID)
  toUserId!: string;

  @Field(() => String, { nullable: true })
  toName!: string | null;

  @Field(() => String)
  role!: string;

  @Field(() => String)
  reason!: string;

  @Field(() => GraphQLDateTimeISO)
  createdAt!: Date;

  @Field(() => GraphQLDateTimeISO)
  endsAt!: Date;

  @Field(() => GraphQLDateTimeISO, { nullable: true })
  revokedAt!: Date | null;

  @Field(() => String, { nullable: true })
  revokeReason!: string | null;

  @Field(() => Boolean, { description: 'Whether it counts now.' })
  active!: boolean;
}

const DelegationPage = pageType('Delegation', DelegationType);

@Resolver()
export class DelegationsResolver {
  @QueryField(listDelegations, () => DelegationPage)
  delegations(
    @QueryArgs(listDelegations) args: InputOf<typeof listDelegations>,
    @Ctx() { ask, actor }: Context,
  ): Promise<Page<DelegationView>> {
    return ask(listDelegations, actor, args);
  }

  @CommandField(createDelegation, () => ChangedType)
  createDelegation(
    @Input(createDelegation) input: InputOf<typeof createDelegation>,
    @Ctx() { run, actor }: Context,
  ): Promise<{ id: string }> {
    return run(createDelegation, actor, input);
  }

  @CommandField(revokeDelegation, () => ChangedType)
  revokeDelegation(
    @Input(revokeDelegation) input: InputOf<typeof revokeDelegation>,
    @Ctx() { run, actor }: Context,
  ): Promise<{ id: string }> {
    return run(revokeDelegation, actor, input);
  }
}
