import { GraphQLDateTimeISO, GraphQLJSON } from 'graphql-scalars';
import { Field, ID, Int, ObjectType } from 'type-graphql';
import { enumType } from '../../../graphql/input-types.js';
import { pageType } from '../../../graphql/page-type.js';
import { verdict } from '../approval.entity.js';
import { changeKind, changeState } from '../change-request.entity.js';
import { ManifestDifferenceType } from './requirement.graphql.js';

// Registered when the module loads: inside of a field it would come too late for the schema.
const KindEnum = enumType(changeKind);
const StateEnum = enumType(changeState);
const VerdictEnum = enumType(verdict);

@ObjectType('ManifestEntry', { description: 'One entry of what people approve.' })
export class ManifestEntryType {
  @Field(() => String)
  name!: string;

  @Field(() => GraphQLJSON, { nullable: true })
  value!: unknown;
}

@ObjectType('ApprovalCondition', { description: 'What must follow an approval; it opened a finding.' })
export class ApprovalConditionType {
  @Field(() => String)
  title!: string;

  @Field(() => ID)
  findingId!: string;
}

@ObjectType('Approval', { description: 'The decision of one person, under one role, on what they saw.' })
export class ApprovalType {
  @Field(() => ID)
  id!: string;

  @Field(() => VerdictEnum)
  verdict!: string;

  @Field(() => String, { description: 'The role it counts for.' })
  role!: string;

  @Field(() => ID)
  by!: string;

  @Field(() => String, { nullable: true })
  byName!: string | null;

  @Field(() => String)
  reason!: string;

  @Field(() => [ApprovalConditionType])
  conditions!: ApprovalConditionType[];

  @Field(() => String, { description: 'The manifest it is bound to.' })
  manifestSha256!: string;

  @Field(() => GraphQLDateTimeISO)
  createdAt!: Date;

  @Field(() => Boolean, { description: 'Whether it still counts.' })
  valid!: boolean;

  @Field(() => GraphQLDateTimeISO, { nullable: true })
  voidedAt!: Date | null;

  @Field(() => String, {
    nullable: true,
    description: 'Names the rule, and for a changed manifest every entry with its old and new value.',
  })
  voidReason!: string | null;

  @Field(() => ID, { nullable: true, description: 'Who lent the role.' })
  delegatedBy!: string | null;
}

@ObjectType('ChangeRequest', { description: 'A change that waits for people, bound to its manifest.' })
export class ChangeRequestType {
  @Field(() => ID)
  id!: string;

  @Field(() => Int, { description: 'Its number in the workspace: #12.' })
  number!: number;

  @Field(() => KindEnum)
  kind!: string;

  @Field(() => String)
  title!: string;

  @Field(() => String)
  reason!: string;

  @Field(() => StateEnum)
  state!: string;

  @Field(() => ID, { nullable: true })
  modelId!: string | null;

  @Field(() => String, { nullable: true })
  modelName!: string | null;

  @Field(() => ID, { nullable: true })
  versionId!: string | null;

  @Field(() => Int, { nullable: true })
  version!: number | null;

  @Field(() => ID, { nullable: true, description: 'What the alias named when the manifest was made.' })
  fromVersionId!: string | null;

  @Field(() => Int, { nullable: true })
  fromVersion!: number | null;

  @Field(() => String, { nullable: true })
  alias!: string | null;

  @Field(() => ID, { nullable: true })
  useCaseId!: string | null;

  @Field(() => String, { nullable: true })
  useCaseName!: string | null;

  @Field(() => ID, { nullable: true })
  endpointId!: string | null;

  @Field(() => GraphQLJSON, { nullable: true, description: 'The proposed policy and where it was written.' })
  proposal!: object | null;

  @Field(() => [ManifestEntryType], { description: 'As the request was last held against the present.' })
  manifest!: ManifestEntryType[];

  @Field(() => String)
  manifestSha256!: string;

  @Field(() => String)
  requestedBy!: string;

  @Field(() => String, { nullable: true })
  requestedByName!: string | null;

  @Field(() => GraphQLDateTimeISO)
  createdAt!: Date;

  @Field(() => GraphQLDateTimeISO)
  expiresAt!: Date;

  @Field(() => GraphQLDateTimeISO, { nullable: true })
  closedAt!: Date | null;

  @Field(() => String, { nullable: true })
  closedBy!: string | null;

  @Field(() => String, { nullable: true })
  closeReason!: string | null;

  @Field(() => GraphQLDateTimeISO, { nullable: true })
  executedAt!: Date | null;

  @Field(() => String, {
    nullable: true,
    description: 'Why one person carried it out without the approvals, in an emergency.',
  })
  breakGlassReason!: string | null;

  @Field(() => GraphQLDateTimeISO, {
    nullable: true,
    description: 'Since when something is no longer as it was when it was carried out.',
  })
  divergedAt!: Date | null;

  @Field(() => [ManifestDifferenceType], {
    nullable: true,
    description: 'What is no longer as it was approved.',
  })
  divergence!: ManifestDifferenceType[] | null;
}

@ObjectType('ChangeDecided', { description: 'What a decision led to.' })
export class ChangeDecidedType {
  @Field(() => ID)
  id!: string;

  @Field(() => ID)
  approvalId!: string;

  @Field(() => StateEnum)
  state!: string;

  @Field(() => [ID], { description: 'One per condition.' })
  findingIds!: string[];
}

@ObjectType('GlassBroken', { description: 'What was carried out in an emergency.' })
export class GlassBrokenType {
  @Field(() => ID)
  id!: string;

  @Field(() => ID, { description: 'What somebody independent must review.' })
  incidentId!: string;
}

export const ChangeRequestPage = pageType('ChangeRequest', ChangeRequestType);
