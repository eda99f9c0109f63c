import { Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import type { Context } from '../../../graphql/context.js';
import { ComparedType, VersionComparisonType } from '../../registry/registry.graphql/compare.graphql.js';
import { compareEvidence } from '../evaluations.queries/compare.js';

@Resolver(() => VersionComparisonType)
export class EvidenceComparisonFields {
  @FieldResolver(() => ComparedType, {
    nullable: true,
    description: 'The newest evidence of each kind, by verdict and digest; null without a use case.',
  })
  async evidence(
    @Root() { from, to, useCaseId }: VersionComparisonType,
    @Ctx() { ask, actor }: Context,
  ): Promise<ComparedType | null> {
    if (useCaseId === null) return null;
    return ask(compareEvidence, actor, { fromVersionId: from.id, toVersionId: to.id, useCaseId });
  }
}
