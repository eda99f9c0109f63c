import { Ctx, Resolver } from 'type-graphql';
import type { Page } from '../../../kernel/page.js';
import { ChangedType } from '../../../graphql/changed-type.js';
import type { Context } from '../../../graphql/context.js';
import {
  CommandField,
  Input,
  QueryArgs,
  QueryField,
  RecordField,
  type InputOf,
} from '../../../graphql/fields.js';
import type { AcceptedDecision } from '../accept.js';
import { decideReview, recordOutcome } from '../decisions.commands/index.js';
import {
  decisionById,
  endpointStats,
  listDecisions,
  listReviews,
  reviewById,
  type DecisionSummary,
  type DecisionView,
  type EndpointStats,
  type ReviewDetail,
  type ReviewView,
} from '../decisions.queries/index.js';
import { recordDecisions, requestDecision, requestDecisions } from '../decisions.records.js';
import {
  AcceptedDecisionType,
  DecidedReviewType,
  DecisionPage,
  DecisionType,
  EndpointStatsType,
  HumanReviewDetailType,
  HumanReviewPage,
} from './types.graphql.js';

@Resolver()
export class DecisionsResolver {
  @QueryField(decisionById, () => DecisionType)
  decision(
    @QueryArgs(decisionById) args: InputOf<typeof decisionById>,
    @Ctx() { ask, actor }: Context,
  ): Promise<DecisionView> {
    return ask(decisionById, actor, args);
  }

  @QueryField(listDecisions, () => DecisionPage)
  decisions(
    @QueryArgs(listDecisions) args: InputOf<typeof listDecisions>,
    @Ctx() { ask, actor }: Context,
  ): Promise<Page<DecisionSummary>> {
    return ask(listDecisions, actor, args);
  }

  @QueryField(listReviews, () => HumanReviewPage)
  reviews(
    @QueryArgs(listReviews) args: InputOf<typeof listReviews>,
    @Ctx() { ask, actor }: Context,
  ): Promise<Page<ReviewView>> {
    return ask(listReviews, actor, args);
  }

  @QueryField(reviewById, () => HumanReviewDetailType)
  review(
    @QueryArgs(reviewById) args: InputOf<typeof reviewById>,
    @Ctx() { ask, actor }: Context,
  ): Promise<ReviewDetail> {
    return ask(reviewById, actor, args);
  }

  @QueryField(endpointStats, () => EndpointStatsType)
  endpointStats(
    @QueryArgs(endpointStats) args: InputOf<typeof endpointStats>,
    @Ctx() { ask, actor }: Context,
  ): Promise<EndpointStats> {
    return ask(endpointStats, actor, args);
  }

  @RecordField(requestDecision, () => AcceptedDecisionType)
  requestDecision(
    @Input(requestDecision) input: InputOf<typeof requestDecision>,
    @Ctx() { record, actor }: Context,
  ): Promise<AcceptedDecision> {
    return record(requestDecision, actor, input);
  }

  @RecordField(requestDecisions, () => [AcceptedDecisionType])
  requestDecisions(
    @Input(requestDecisions) input: InputOf<typeof requestDecisions>,
    @Ctx() { record, actor }: Context,
  ): Promise<AcceptedDecision[]> {
    return record(requestDecisions, actor, input);
  }

  @RecordField(recordDecisions, () => [AcceptedDecisionType])
  recordDecisions(
    @Input(recordDecisions) input: InputOf<typeof recordDecisions>,
    @Ctx() { record, actor }: Context,
  ): Promise<AcceptedDecision[]> {
    return record(recordDecisions, actor, input);
  }

  @CommandField(decideReview, () => DecidedReviewType)
  decideReview(
    @Input(decideReview) input: InputOf<typeof decideReview>,
    @Ctx() { run, actor }: Context,
  ): Promise<{ id: string; decisionId: string }> {
    return run(decideReview, actor, input);
  }

  @CommandField(recordOutcome, () => ChangedType)
  recordOutcome(
    @Input(recordOutcome) input: InputOf<typeof recordOutcome>,
    @Ctx() { run, actor }: Context,
  ): Promise<{ id: string }> {
    return run(recordOutcome, actor, input);
  }
}
