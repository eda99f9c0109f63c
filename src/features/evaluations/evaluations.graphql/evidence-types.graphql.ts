import { GraphQLDateTimeISO, GraphQLJSONObject } from 'graphql-scalars';
import { Field, Float, ID, Int, ObjectType } from 'type-graphql';
import { enumType } from '../../../graphql/input-types.js';
import { pageType } from '../../../graphql/page-type.js';
import { evaluationState, type EvaluationDataset } from '../evaluation.entity.js';
import { invalidationCause } from '../evidence-invalidation.entity.js';
import type { EvidenceResult } from '../evidence-result.js';
import { evidenceKind, evidenceProvenance, evidenceVerdict } from '../evidence.entity.js';
import { DriftRowType } from './drift-types.graphql.js';
import {
  AttributionRowType,
  CheckResultType,
  FigureType,
  FourFifthsRowType,
  GroupComparisonType,
  GroupFigureType,
  ReliabilityBinType,
} from './result-types.graphql.js';

// Enums that no input uses are made known before the schema is built.
const provenances = enumType(evidenceProvenance);
const verdicts = enumType(evidenceVerdict);
const CauseEnum = enumType(invalidationCause);

@ObjectType('EvaluationDataset', { description: 'The rows that were measured: an artifact of the version.' })
export class EvaluationDatasetType {
  @Field(() => String)
  name!: string;

  @Field(() => String)
  path!: string;

  @Field(() => String)
  sha256!: string;
}

@ObjectType('Evaluation', { description: 'A queued computation over a version and a data set.' })
export class EvaluationType {
  @Field(() => ID)
  id!: string;

  @Field(() => ID)
  versionId!: string;

  @Field(() => ID)
  useCaseId!: string;

  @Field(() => String)
  suite!: string;

  @Field(() => EvaluationDatasetType)
  dataset!: EvaluationDataset;

  @Field(() => enumType(evaluationState))
  state!: string;

  @Field(() => String, { nullable: true })
  failure!: string | null;

  @Field(() => ID)
  jobId!: string;

  @Field(() => Float, { description: 'How far it is, 0 to 1.' })
  progress!: number;

  @Field(() => String, { description: 'What it does at the moment.' })
  message!: string;

  @Field(() => String)
  requestedBy!: string;

  @Field(() => GraphQLDateTimeISO)
  createdAt!: Date;

  @Field(() => GraphQLDateTimeISO, { nullable: true })
  finishedAt!: Date | null;
}

@ObjectType('EvidenceResult', {
  description: 'What was measured. Tables that do not apply to the kind are empty.',
})
export class EvidenceResultType {
  @Field(() => EvaluationDatasetType)
  dataset!: EvidenceResult['dataset'];

  @Field(() => Int)
  rows!: number;

  @Field(() => GraphQLJSONObject, { description: 'Fixed choices: threshold, seed, sample, background.' })
  basis!: EvidenceResult['basis'];

  @Field(() => [FigureType])
  figures!: EvidenceResult['figures'];

  @Field(() => [CheckResultType])
  checks!: EvidenceResult['checks'];

  @Field(() => [ReliabilityBinType])
  reliability!: EvidenceResult['reliability'];

  @Field(() => [GroupFigureType])
  groups!: EvidenceResult['groups'];

  @Field(() => [GroupComparisonType])
  comparisons!: EvidenceResult['comparisons'];

  @Field(() => [FourFifthsRowType])
  fourFifths!: EvidenceResult['fourFifths'];

  @Field(() => [AttributionRowType])
  attribution!: EvidenceResult['attribution'];

  @Field(() => [DriftRowType])
  drift!: readonly DriftRowType[];

  @Field(() => [String])
  notes!: string[];
}

@ObjectType('Evidence', {
  description: 'What was measured about a version in a use case; added, never changed.',
})
export class EvidenceType {
  @Field(() => ID)
  id!: string;

  @Field(() => ID, { nullable: true })
  evaluationId!: string | null;

  @Field(() => ID)
  versionId!: string;

  @Field(() => String)
  versionDigest!: string;

  @Field(() => ID)
  useCaseId!: string;

  @Field(() => enumType(evidenceKind))
  kind!: string;

  @Field(() => provenances, { description: 'SUBMITTED: it rests on what somebody sent.' })
  provenance!: string;

  @Field(() => String, {
    nullable: true,
    description: 'Who sent what it rests on; null when it was computed here.',
  })
  submittedBy!: string | null;

  @Field(() => verdicts, { description: 'Now: evidence that has expired is STALE.' })
  verdict!: string;

  @Field(() => verdicts, { description: 'When it was made.' })
  judgedVerdict!: string;

  @Field(() => String, { description: 'sha256 over version digest, data, policy, suite, seed and engine.' })
  inputSha256!: string;

  @Field(() => String, { description: 'sha256 over the canonical JSON (RFC 8785) of `document`.' })
  resultSha256!: string;

  @Field(() => String)
  engineVersion!: string;

  @Field(() => Int)
  seed!: number;

  @Field(() => GraphQLDateTimeISO)
  createdAt!: Date;

  @Field(() => GraphQLDateTimeISO)
  expiresAt!: Date;

  @Field(() => CauseEnum, { nullable: true, description: 'What made it stale before its date.' })
  staleCause!: string | null;

  @Field(() => String, { nullable: true })
  staleReason!: string | null;

  @Field(() => EvidenceResultType)
  result!: EvidenceResultType;

  @Field(() => GraphQLJSONObject, {
    description: 'The whole result as stored; its canonical form gives `resultSha256`.',
  })
  document!: object;
}

@ObjectType('EvaluationStarted', {
  description: 'The evaluation, and the job under which it can be watched.',
})
export class EvaluationStartedType {
  @Field(() => ID)
  id!: string;

  @Field(() => ID)
  jobId!: string;
}

@ObjectType('EvidenceInvalidated', { description: 'The evidence that no longer holds.' })
export class EvidenceInvalidatedType {
  @Field(() => [ID])
  evidenceIds!: string[];
}

export const EvaluationPage = pageType('Evaluation', EvaluationType);
export const EvidencePage = pageType('Evidence', EvidenceType);
