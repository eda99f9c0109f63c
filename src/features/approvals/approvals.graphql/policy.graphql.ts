import { GraphQLDateTimeISO, GraphQLJSON } from 'graphql-scalars';
import { Field, ID, Int, ObjectType } from 'type-graphql';
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
