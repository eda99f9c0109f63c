import { GraphQLDateTimeISO } from 'graphql-scalars';
import { Ctx, Field, ID, ObjectType, Resolver } from 'type-graphql';
import type { Page } from '../../kernel/page.js';
import { ChangedType } from '../../graphql/changed-type.js';
import type { Context } from '../../graphql/context.js';
import { CommandField, Input, QueryArgs, QueryField, type InputOf } from '../../graphql/fields.js';
import { enumType } from '../../graphql/input-types.js';
import { pageType } from '../../graphql/page-type.js';
import { riskTier, type RiskTier } from './use-case.entity.js';
import { createUseCase, updateUseCase } from './usecases.commands.js';
import { listUseCases, readUseCase, type UseCaseView } from './usecases.queries.js';

// Registered when the module loads: inside of a field it would come too late for the schema.
const RiskTierEnum = enumType(riskTier);

@ObjectType('UseCase', { description: 'An intended use of models, with the person who answers for it.' })
export class UseCaseType {
  @Field(() => ID)
  id!: string;

  @Field(() => String)
  slug!: string;

  @Field(() => String)
  name!: string;

  @Field(() => String)
  purpose!: string;

  @Field(() => String)
  peopleAffected!: string;

  @Field(() => ID)
  ownerId!: string;

  @Field(() => String, { nullable: true })
  ownerName!: string | null;

  @Field(() => RiskTierEnum)
  riskTier!: RiskTier;

  @Field(() => GraphQLDateTimeISO)
  createdAt!: Date;
}

export const UseCasePage = pageType('UseCase', UseCaseType);

@Resolver()
export class UseCasesResolver {
  @QueryField(listUseCases, () => UseCasePage)
  useCases(
    @QueryArgs(listUseCases) args: InputOf<typeof listUseCases>,
    @Ctx() { ask, actor }: Context,
  ): Promise<Page<UseCaseView>> {
    return ask(listUseCases, actor, args);
  }

  @QueryField(readUseCase, () => UseCaseType)
  useCase(
    @QueryArgs(readUseCase) args: InputOf<typeof readUseCase>,
    @Ctx() { ask, actor }: Context,
  ): Promise<UseCaseView> {
    return ask(readUseCase, actor, args);
  }

  @CommandField(createUseCase, () => ChangedType)
  createUseCase(
    @Input(createUseCase) input: InputOf<typeof createUseCase>,
    @Ctx() { run, actor }: Context,
  ): Promise<{ id: string }> {
    return run(createUseCase, actor, input);
  }

  @CommandField(updateUseCase, () => ChangedType)
  updateUseCase(
    @Input(updateUseCase) input: InputOf<typeof updateUseCase>,
    @Ctx() { run, actor }: Context,
  ): Promise<{ id: string }> {
    return run(updateUseCase, actor, input);
  }
}
