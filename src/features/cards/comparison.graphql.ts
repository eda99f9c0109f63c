import { Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import type { Context } from '../../graphql/context.js';
import { VersionComparisonType } from '../registry/registry.graphql/compare.graphql.js';
import { CardComparisonType } from './cards.graphql.js';
import { compareCards, type CardComparison } from './cards.queries.js';

@Resolver(() => VersionComparisonType)
export class CardComparisonFields {
  @FieldResolver(() => CardComparisonType, {
    nullable: true,
    description: 'Both cards, field by field; null without a use case.',
  })
  async card(
    @Root() { from, to, useCaseId }: VersionComparisonType,
    @Ctx() { ask, actor }: Context,
  ): Promise<CardComparison | null> {
    if (useCaseId === null) return null;
    return ask(compareCards, actor, {
      from: { versionId: from.id, useCaseId },
      to: { versionId: to.id, useCaseId },
    });
  }
}
