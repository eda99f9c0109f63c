import { GraphQLDateTimeISO, GraphQLJSON } from 'graphql-scalars';
import { Field, Float, ID, Int, ObjectType } from 'type-graphql';
import { enumType } from '../../../graphql/input-types.js';
import { pageType } from '../../../graphql/page-type.js';
import { reviewState, type ReviewState } from '../human-review.entity.js';
import { decisionSource, decisionState, type DecisionState } from '../request-schema.js';

@ObjectType('AcceptedDecision', { description: 'A request that was accepted; the pipeline runs it.' })
export class AcceptedDecisionType {
  @Field(() => ID)
  id!: string;

  @Field(() => String)
  idempotencyKey!: string;

  @Field(() => enumType(decisionState))
  state!: DecisionState;

  @Field(() => Boolean, { description: 'Whether it had been accepted before, under the same key.' })
  isRepeated!: boolean;
}

@ObjectType('DecisionSummary', { description: 'A decision without what it says of the person.' })
export class DecisionSummaryType {
  @Field(() => ID)
  id!: string;

  @Field(() => ID)
  endpointId!: string;

  @Field(() => String, { description: 'Short name of the endpoint.' })
  endpoint!: string;

  @Field(() => ID)
  useCaseId!: string;

  @Field(() => enumType(decisionSource))
  source!: string;

  @Field(() => String)
  idempotencyKey!: string;

  @Field(() => String, { description: 'The pseudonym of the person.' })
  subjectRef!: string;

  @Field(() => enumType(decisionState))
  state!: DecisionState;

  @Field(() => GraphQLJSON, { nullable: true, description: 'Why there is no decision: rule and sentence.' })
  failure!: unknown;

  @Field(() => ID, { nullable: true, description: 'The version that decided, fixed at the first step.' })
  versionId!: string | null;

  @Field(() => String, { nullable: true })
  versionDigest!: string | null;

  @Field(() => String)
  pipelineVersion!: string;

  @Field(() => String, {
    nullable: true,
    description: 'SHA-256 of the thresholds, rules and parameters in force.',
  })
  policyDigest!: string | null;

  @Field(() => String, { nullable: true })
  action!: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'What really decided: `rule`, `margin`, `score`, `review`, `person` or `elsewhere`.',
  })
  decidedBy!: string | null;

  @Field(() => Float, { nullable: true, description: 'Calibrated probability.' })
  probability!: number | null;

  @Field(() => GraphQLJSON, { description: 'Guardrails and rules that stood.' })
  rules!: unknown;

  @Field(() => String)
  requestedBy!: string;

  @Field(() => GraphQLDateTimeISO)
  requestedAt!: Date;

  @Field(() => GraphQLDateTimeISO, { nullable: true })
  finishedAt!: Date | null;

  @Field(() => String, { nullable: true, description: 'Head of the hash chain of the run.' })
  runHash!: string | null;
}

@ObjectType('AgentStep', {
  description: 'One step of the trace. An attempt that ended with its worker has no end.',
})
export class AgentStepType {
  @Field(() => Int)
  seq!: number;

  @Field(() => Int, { description: 'How often the critic had sent the run back.' })
  iteration!: number;

  @Field(() => Int)
  attempt!: number;

  @Field(() => String, { description: '`started`, `done` or `failed`.' })
  status!: string;

  @Field(() => String)
  agent!: string;

  @Field(() => String)
  agentVersion!: string;

  @Field(() => String)
  workerId!: string;

  @Field(() => GraphQLDateTimeISO)
  startedAt!: Date;

  @Field(() => GraphQLDateTimeISO, { nullable: true })
  endedAt!: Date | null;

  @Field(() => GraphQLJSON, {
    description: 'Facts that are not about the person: verdicts, digests, versions.',
  })
  facts!: unknown;

  @Field(() => GraphQLJSON, {
    nullable: true,
    description: 'What the agent made; null when the key was erased.',
  })
  output!: unknown;

  @Field(() => String, { nullable: true })
  inputSha256!: string | null;

  @Field(() => String, { nullable: true, description: 'SHA-256 over the sealed bytes of the output.' })
  outputSha256!: string | null;

  @Field(() => String, { nullable: true })
  prevHash!: string | null;

  @Field(() => String, { nullable: true })
  hash!: string | null;
}

@ObjectType('RunVerification', { description: 'What checking the run anew says, at the moment of reading.' })
export class RunVerificationType {
  @Field(() => Boolean, { description: 'Every link follows from what is stored.' })
  isChainIntact!: boolean;

  @Field(() => Boolean, {
    nullable: true,
    description:
      'The head stands under the Merkle root of an entry of the trail; null while the run is under way.',
  })
  isInTrail!: boolean | null;

  @Field(() => String, { nullable: true, description: 'The first thing that is wrong.' })
  fault!: string | null;

  @Field(() => String, { nullable: true })
  runHash!: string | null;

  @Field(() => ID, { nullable: true, description: 'The command whose entry in the trail holds the root.' })
  auditCommandId!: string | null;
}

@ObjectType('KnownOutcome', { description: 'What turned out to be true.' })
export class KnownOutcomeType {
  @Field(() => Boolean)
  positive!: boolean;

  @Field(() => GraphQLDateTimeISO)
  observedAt!: Date;

  @Field(() => String)
  source!: string;
}

@ObjectType('Decision', {
  description: 'One run of the pipeline for one person, with its trace and its proof.',
})
export class DecisionType extends DecisionSummaryType {
  @Field(() => Boolean, { description: "Whether the person's key was erased; the hashes stay checkable." })
  isErased!: boolean;

  @Field(() => GraphQLJSON, { nullable: true })
  request!: unknown;

  @Field(() => GraphQLJSON, { nullable: true, description: 'Reasons of the step that really decided.' })
  reasons!: unknown;

  @Field(() => String, { nullable: true, description: 'The note in plain language.' })
  note!: string | null;

  @Field(() => GraphQLJSON, {
    nullable: true,
    description: 'The sentences of the note with what each rests on.',
  })
  sentences!: unknown;

  @Field(() => [AgentStepType])
  steps!: readonly AgentStepType[];

  @Field(() => RunVerificationType)
  verification!: RunVerificationType;

  @Field(() => ID, { nullable: true, description: 'The approved change that made the version the champion.' })
  changeRequestId!: string | null;

  @Field(() => [ID], { description: 'Evidence about the version in this use.' })
  evidenceIds!: readonly string[];

  @Field(() => ID, { nullable: true })
  reviewId!: string | null;

  @Field(() => KnownOutcomeType, { nullable: true })
  outcome!: KnownOutcomeType | null;
}

@ObjectType('HumanReview', {
  description: 'A referred decision that waits for a person, or was decided by one.',
})
export class HumanReviewType {
  @Field(() => ID)
  id!: string;

  @Field(() => ID)
  decisionId!: string;

  @Field(() => String)
  endpoint!: string;

  @Field(() => enumType(reviewState))
  state!: ReviewState;

  @Field(() => GraphQLJSON, { description: 'Guardrails and rules that stood.' })
  why!: unknown;

  @Field(() => GraphQLDateTimeISO)
  dueAt!: Date;

  @Field(() => Boolean)
  isOverdue!: boolean;

  @Field(() => GraphQLDateTimeISO)
  createdAt!: Date;

  @Field(() => String, { nullable: true })
  action!: string | null;

  @Field(() => ID, { nullable: true })
  decidedBy!: string | null;

  @Field(() => GraphQLDateTimeISO, { nullable: true })
  decidedAt!: Date | null;
}

@ObjectType('HumanReviewDetail', { description: 'A review with the reason of the person who decided it.' })
export class HumanReviewDetailType extends HumanReviewType {
  @Field(() => String, { nullable: true })
  reason!: string | null;
}

@ObjectType('DecidedReview')
export class DecidedReviewType {
  @Field(() => ID)
  id!: string;

  @Field(() => ID)
  decisionId!: string;
}

@ObjectType('DecisionCount')
export class DecisionCountType {
  @Field(() => String)
  name!: string;

  @Field(() => Int)
  count!: number;
}

@ObjectType('EndpointStats', { description: 'What an endpoint did in a period.' })
export class EndpointStatsType {
  @Field(() => String)
  endpoint!: string;

  @Field(() => GraphQLDateTimeISO)
  from!: Date;

  @Field(() => GraphQLDateTimeISO)
  to!: Date;

  @Field(() => Int)
  n!: number;

  @Field(() => [DecisionCountType])
  states!: readonly DecisionCountType[];

  @Field(() => [DecisionCountType])
  actions!: readonly DecisionCountType[];

  @Field(() => [DecisionCountType])
  decidedBy!: readonly DecisionCountType[];

  @Field(() => Float, {
    nullable: true,
    description: 'Median from request to decision; null below 20 decisions.',
  })
  p50Ms!: number | null;

  @Field(() => Float, { nullable: true })
  p99Ms!: number | null;

  @Field(() => Int)
  openReviews!: number;

  @Field(() => Int)
  overdueReviews!: number;
}

export const DecisionPage = pageType('Decision', DecisionSummaryType);
export const HumanReviewPage = pageType('HumanReview', HumanReviewType);
