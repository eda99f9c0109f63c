import { GraphQLJSONObject } from 'graphql-scalars';
import { Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import type { Context } from '../../../graphql/context.js';
import { CommandField, Input, QueryArgs, QueryField, type InputOf } from '../../../graphql/fields.js';
import type { Page } from '../../../kernel/page.js';
import { readResult } from '../evidence-result.js';
import { invalidateEvidence } from '../evaluations.commands/invalidate.js';
import { startEvaluation } from '../evaluations.commands/start.js';
import {
  evaluationById,
  evidenceById,
  listEvaluations,
  listEvidence,
  type EvaluationView,
  type EvidenceView,
} from '../evaluations.queries/lists.js';
import { EvidenceComparisonFields } from './comparison.graphql.js';
import { DriftResolver } from './drift.graphql.js';
import {
  EvaluationPage,
  EvaluationStartedType,
  EvaluationType,
  EvidenceInvalidatedType,
  EvidencePage,
  EvidenceResultType,
  EvidenceType,
} from './evidence-types.graphql.js';

@Resolver()
class EvaluationsResolver {
  @QueryField(evaluationById, () => EvaluationType)
  evaluation(
    @QueryArgs(evaluationById) args: InputOf<typeof evaluationById>,
    @Ctx() { ask, actor }: Context,
  ): Promise<EvaluationView> {
    return ask(evaluationById, actor, args);
  }

  @QueryField(listEvaluations, () => EvaluationPage)
  evaluations(
    @QueryArgs(listEvaluations) args: InputOf<typeof listEvaluations>,
    @Ctx() { ask, actor }: Context,
  ): Promise<Page<EvaluationView>> {
    return ask(listEvaluations, actor, args);
  }

  @QueryField(evidenceById, () => EvidenceType)
  evidenceById(
    @QueryArgs(evidenceById) args: InputOf<typeof evidenceById>,
    @Ctx() { ask, actor }: Context,
  ): Promise<EvidenceView> {
    return ask(evidenceById, actor, args);
  }

  @QueryField(listEvidence, () => EvidencePage)
  evidence(
    @QueryArgs(listEvidence) args: InputOf<typeof listEvidence>,
    @Ctx() { ask, actor }: Context,
  ): Promise<Page<EvidenceView>> {
    return ask(listEvidence, actor, args);
  }

  @CommandField(invalidateEvidence, () => EvidenceInvalidatedType)
  invalidateEvidence(
    @Input(invalidateEvidence) input: InputOf<typeof invalidateEvidence>,
    @Ctx() { run, actor }: Context,
  ): Promise<{ evidenceIds: readonly string[] }> {
    return run(invalidateEvidence, actor, input);
  }

  @CommandField(startEvaluation, () => EvaluationStartedType)
  startEvaluation(
    @Input(startEvaluation) input: InputOf<typeof startEvaluation>,
    @Ctx() { run, actor }: Context,
  ): Promise<{ id: string; jobId: string }> {
    return run(startEvaluation, actor, input);
  }
}

/** The result as tables, and as the document whose digest is stated. */
@Resolver(() => EvidenceType)
class EvidenceFields {
  @FieldResolver(() => EvidenceResultType)
  result(@Root() evidence: EvidenceView): EvidenceResultType {
    const result = readResult(evidence.kind, evidence.result);
    return { ...result, rows: result.dataset.rows, drift: result.drift ?? [] };
  }

  @FieldResolver(() => GraphQLJSONObject)
  document(@Root() evidence: EvidenceView): object {
    return evidence.result;
  }
}

/** All resolvers of this feature. */
export const evaluationResolvers = [
  EvaluationsResolver,
  EvidenceFields,
  EvidenceComparisonFields,
  DriftResolver,
] as const;
