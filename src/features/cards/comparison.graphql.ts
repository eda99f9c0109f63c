import { Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import type { Context } from '../../graphql/context.js';
import { ComparedType, VersionComparisonType } from '../registry/registry.graphql/compare.graphql.js';
import { compareCards } from './compare-cards.js';

@Resolver(() => VersionComparisonType)
export class CardComparisonFields {
  @FieldResolver(() => ComparedType, {
    nullable: true,
    description: 'What people attested, field by field; null without a use case.',
  })
  async card(
    @Root() { from, to, useCaseId }: VersionComparisonType,
    @Ctx() { ask, actor }: Context,
  ): Promise<ComparedType | null> {
    if (useCaseId === null) return null;
    return ask(compareCards, actor, { fromVersionId: from.id, toVersionId: to.id, useCaseId });
  }
}
