import { GraphQLJSON } from 'graphql-scalars';
import { Field, ID, Int, ObjectType } from 'type-graphql';
import { enumType } from '../../../graphql/input-types.js';
import { execution, ruleMode, staleEffect } from '../policy-document.js';
import { checkState } from '../situation.js';

// Registered when the module loads: inside of a field it would come too late for the schema.
const CheckStateEnum = enumType(checkState);
const ModeEnum = enumType(ruleMode);
const ExecutionEnum = enumType(execution);
const StaleEffectEnum = enumType(staleEffect);

@ObjectType('Mover', { description: 'A person who could move a requirement.' })
export class MoverType {
  @Field(() => ID)
  id!: string;

  @Field(() => String)
  name!: string;
}

@ObjectType('Requirement', { description: 'One thing a change needs, how it stands, and who can move it.' })
export class RequirementType {
  @Field(() => String, {
    description: '`version-ready`, `evidence.FAIRNESS`, `card.intendedUse`, `approvals.validator`.',
  })
  rule!: string;

  @Field(() => CheckStateEnum)
  state!: string;

  @Field(() => String)
  message!: string;

  @Field(() => ID, { nullable: true })
  evidenceId!: string | null;

  @Field(() => String, { nullable: true, description: 'The permission that moves it.' })
  permission!: string | null;

  @Field(() => ModeEnum, { description: 'ENFORCE stands in the way, WARN is said, OBSERVE is noted.' })
  mode!: string;

  @Field(() => [String], {
    description: 'The rules of the policy that ask for it; none where no policy can take it away.',
  })
  policyRules!: string[];

  @Field(() => [MoverType], { description: 'The people who could give a missing approval.' })
  people!: MoverType[];

  readonly askedRoles!: readonly string[];
}

@ObjectType('ManifestDifference', { description: 'An entry that is not what it was.' })
export class ManifestDifferenceType {
  @Field(() => String)
  entry!: string;

  @Field(() => GraphQLJSON, { nullable: true })
  from!: unknown;

  @Field(() => GraphQLJSON, { nullable: true })
  to!: unknown;

  @Field(() => Boolean, {
    nullable: true,
    description: 'Whether it takes the ground from under the decisions.',
  })
  voids!: boolean | null;
}

@ObjectType('ChangeStanding', { description: 'How an open request stands at this moment.' })
export class ChangeStandingType {
  @Field(() => Boolean, { description: 'Whether it would be carried out now.' })
  ready!: boolean;

  @Field(() => String, { description: 'What a decision taken now is bound to; give it to `decideChange`.' })
  manifestSha256!: string;

  @Field(() => [ManifestDifferenceType], {
    description: 'What changed since the request was last looked at.',
  })
  differences!: ManifestDifferenceType[];

  @Field(() => [RequirementType])
  requirements!: RequirementType[];

  @Field(() => ExecutionEnum, {
    description: 'Whether the last approval carries it out, or the caller does.',
  })
  execution!: string;
}

@ObjectType('PolicyRule', { description: 'A rule of the policy that applies, and its mode.' })
export class PolicyRuleType {
  @Field(() => String)
  name!: string;

  @Field(() => ModeEnum)
  mode!: string;
}

@ObjectType('PromotionCheck', { description: 'What moving a protected alias would need now.' })
export class PromotionCheckType {
  @Field(() => Boolean, { description: 'Whether everything is there, the approvals included.' })
  allowed!: boolean;

  @Field(() => ID, { nullable: true })
  openChangeRequestId!: string | null;

  @Field(() => Int)
  policyRevision!: number;

  @Field(() => [String], { description: 'The rules of the policy that apply.' })
  rules!: string[];

  @Field(() => [PolicyRuleType])
  policyRules!: PolicyRuleType[];

  @Field(() => String, { description: 'Which the alias serves, by the policy.' })
  environment!: string;

  @Field(() => ExecutionEnum)
  execution!: string;

  @Field(() => StaleEffectEnum, { description: 'What an endpoint would do once the evidence is stale.' })
  whenStale!: string;

  @Field(() => Int, { nullable: true, description: 'How long ago who approves may have signed in.' })
  freshSignInMinutes!: number | null;

  @Field(() => [RequirementType])
  requirements!: RequirementType[];
}
