import { GraphQLDateTimeISO, GraphQLJSON } from 'graphql-scalars';
import { Field, ID, Int, ObjectType } from 'type-graphql';
import { z } from 'zod';
import { enumType } from '../../../graphql/input-types.js';
import { pageType } from '../../../graphql/page-type.js';

@ObjectType('ApprovalPolicy', { description: 'The rules for approvals in a workspace.' })
export class ApprovalPolicyType {
  @Field(() => Int, { description: '0 is the default of the installation.' })
  revision!: number;

  @Field(() => String)
  sha256!: string;

  @Field(() => String, { description: 'Where it was written.' })
  source!: string;

  @Field(() => GraphQLJSON)
  document!: object;

  @Field(() => ID, { nullable: true, description: 'The request that made it hold.' })
  changeRequestId!: string | null;

  @Field(() => GraphQLDateTimeISO, { nullable: true })
  createdAt!: Date | null;
}

export const ApprovalPolicyPage = pageType('ApprovalPolicy', ApprovalPolicyType);

// Registered when the module loads: inside of a field it would come too late for the schema.
const ReplayOutcomeEnum = enumType(z.enum(['ALLOWED', 'REFUSED', 'UNKNOWN']).meta({ id: 'ReplayOutcome' }));

@ObjectType('ReplayedRequest', { description: 'A request that would have ended otherwise.' })
export class ReplayedRequestType {
  @Field(() => ID)
  changeRequestId!: string;

  @Field(() => Int)
  number!: number;

  @Field(() => String)
  title!: string;

  @Field(() => String, { description: 'How it ended, or OPEN.' })
  was!: string;

  @Field(() => ReplayOutcomeEnum, { description: 'UNKNOWN: what was written down then does not tell.' })
  outcome!: string;

  @Field(() => [String], { description: 'The rules that would have stood in the way.' })
  failing!: string[];

  @Field(() => String, { nullable: true })
  requestedByName!: string | null;

  @Field(() => GraphQLDateTimeISO)
  at!: Date;
}

@ObjectType('PolicyReplay', { description: 'What a policy would have decided otherwise.' })
export class PolicyReplayType {
  @Field(() => Int, { description: 'Requests that it was replayed over.' })
  requests!: number;

  @Field(() => Int, { description: 'Carried out then, refused under these rules.' })
  wouldBeRefused!: number;

  @Field(() => Int, { description: 'Not carried out then; nothing would have stood in the way.' })
  wouldBeAllowed!: number;

  @Field(() => Int)
  unknown!: number;

  @Field(() => [ReplayedRequestType], { description: 'The newest of them.' })
  otherwise!: ReplayedRequestType[];
}

@ObjectType('PolicyProposed', {
  description: 'The request that proposes a policy, and whom it would have refused.',
})
export class PolicyProposedType {
  @Field(() => ID)
  id!: string;

  @Field(() => PolicyReplayType)
  impact!: PolicyReplayType;
}
