import { GraphQLDateTimeISO, GraphQLJSON } from 'graphql-scalars';
import { Ctx, Field, Float, ID, Int, ObjectType, Resolver } from 'type-graphql';
import type { Page } from '../../kernel/page.js';
import type { Context } from '../../graphql/context.js';
import { CommandField, Input, QueryArgs, QueryField, type InputOf } from '../../graphql/fields.js';
import { enumType } from '../../graphql/input-types.js';
import { pageType } from '../../graphql/page-type.js';
import { riskTier, type RiskTier } from '../usecases/index.js';
import type { KnownQuestionnaire } from './questionnaire.js';
import { riskEffect, type RiskEffect } from './risk-assessment.entity.js';
import { assessRisk, type Assessed } from './risk.commands.js';
import {
  listAssessments,
  readAssessment,
  readQuestionnaireNow,
  type RiskAssessmentView,
} from './risk.queries.js';

// Registered when the module loads: inside of a field it would come too late for the schema.
const TierEnum = enumType(riskTier);
const EffectEnum = enumType(riskEffect);

@ObjectType('RiskReason', { description: 'Why a tier is what it is.' })
export class RiskReasonType {
  @Field(() => String, { description: 'TIER, LIMIT, FLOOR, ANSWER or MITIGATION.' })
  kind!: string;

  @Field(() => String, { nullable: true })
  question!: string | null;

  @Field(() => String)
  text!: string;

  @Field(() => Float, { description: 'Points of 100 that it adds or takes.' })
  points!: number;
}

@ObjectType('RiskAnswer')
export class RiskAnswerType {
  @Field(() => String)
  question!: string;

  @Field(() => [String])
  answers!: string[];
}

@ObjectType('RiskMitigation')
export class RiskMitigationType {
  @Field(() => String)
  id!: string;

  @Field(() => String)
  how!: string;
}

@ObjectType('RiskDifference', {
  description: 'One thing in which an assessment differs from the one before.',
})
export class RiskDifferenceType {
  @Field(() => String)
  entry!: string;

  @Field(() => GraphQLJSON, { nullable: true })
  from!: unknown;

  @Field(() => GraphQLJSON, { nullable: true })
  to!: unknown;
}

@ObjectType('RiskAssessment', {
  description: 'What was answered about the risk of a use case, and what follows.',
})
export class RiskAssessmentType {
  @Field(() => ID)
  id!: string;

  @Field(() => ID)
  useCaseId!: string;

  @Field(() => Int, { description: 'Counts up per use case.' })
  number!: number;

  @Field(() => Boolean, { description: 'Whether it is the newest of its use case.' })
  current!: boolean;

  @Field(() => Int)
  questionnaireVersion!: number;

  @Field(() => String)
  questionnaireSha256!: string;

  @Field(() => Boolean, { description: 'Whether the installation asks something else by now.' })
  outdated!: boolean;

  @Field(() => [RiskAnswerType])
  answers!: RiskAnswerType[];

  @Field(() => [RiskMitigationType])
  mitigations!: RiskMitigationType[];

  @Field(() => String)
  note!: string;

  @Field(() => Float, { description: 'Of 100, before mitigations.' })
  inherentScore!: number;

  @Field(() => TierEnum)
  inherentTier!: RiskTier;

  @Field(() => Float, { description: 'Of 100, after mitigations.' })
  residualScore!: number;

  @Field(() => TierEnum, { description: 'The tier that follows from it.' })
  tier!: RiskTier;

  @Field(() => TierEnum, { description: 'The tier of the use case when it was assessed.' })
  tierBefore!: RiskTier;

  @Field(() => TierEnum, { description: 'The tier of the use case now.' })
  tierInForce!: RiskTier;

  @Field(() => EffectEnum)
  effect!: RiskEffect;

  @Field(() => [RiskReasonType])
  reasons!: RiskReasonType[];

  @Field(() => [RiskDifferenceType], { description: 'Since the assessment before.' })
  differences!: RiskDifferenceType[];

  @Field(() => String)
  assessedBy!: string;

  @Field(() => String, { nullable: true })
  assessedByName!: string | null;

  @Field(() => GraphQLDateTimeISO)
  createdAt!: Date;
}

@ObjectType('RiskAssessed', { description: 'What an assessment led to.' })
export class RiskAssessedType {
  @Field(() => ID)
  id!: string;

  @Field(() => Int)
  number!: number;

  @Field(() => TierEnum)
  tier!: RiskTier;

  @Field(() => TierEnum)
  tierInForce!: RiskTier;

  @Field(() => EffectEnum, { description: 'NEEDS_REQUEST: ask with requestRiskTier.' })
  effect!: RiskEffect;
}

@ObjectType('RiskQuestionnaire', { description: 'What is asked about a use case.' })
export class RiskQuestionnaireType {
  @Field(() => GraphQLJSON, { description: 'countersign.risk-questionnaire/1' })
  document!: object;

  @Field(() => String)
  sha256!: string;
}

export const RiskAssessmentPage = pageType('RiskAssessment', RiskAssessmentType);

@Resolver()
export class RiskResolver {
  @QueryField(readQuestionnaireNow, () => RiskQuestionnaireType)
  riskQuestionnaire(@Ctx() { ask, actor }: Context): Promise<KnownQuestionnaire> {
    return ask(readQuestionnaireNow, actor, {});
  }

  @QueryField(readAssessment, () => RiskAssessmentType)
  riskAssessment(
    @QueryArgs(readAssessment) args: InputOf<typeof readAssessment>,
    @Ctx() { ask, actor }: Context,
  ): Promise<RiskAssessmentView> {
    return ask(readAssessment, actor, args);
  }

  @QueryField(listAssessments, () => RiskAssessmentPage)
  riskAssessments(
    @QueryArgs(listAssessments) args: InputOf<typeof listAssessments>,
    @Ctx() { ask, actor }: Context,
  ): Promise<Page<RiskAssessmentView>> {
    return ask(listAssessments, actor, args);
  }

  @CommandField(assessRisk, () => RiskAssessedType)
  assessRisk(
    @Input(assessRisk) input: InputOf<typeof assessRisk>,
    @Ctx() { run, actor }: Context,
  ): Promise<Assessed> {
    return run(assessRisk, actor, input);
  }
}
