import { GraphQLDateTimeISO, GraphQLJSON } from 'graphql-scalars';
import { Ctx, Field, Float, ID, ObjectType, Resolver } from 'type-graphql';
import type { Context } from '../../graphql/context.js';
import { CommandField, Input, QueryArgs, QueryField, type InputOf } from '../../graphql/fields.js';
import { enumType } from '../../graphql/input-types.js';
import { pageType } from '../../graphql/page-type.js';
import type { Page } from '../../kernel/page.js';
import { qualityState, qualityVerdict } from './data-quality-check.entity.js';
import { listQualityChecks, type QualityView } from './data-quality.queries.js';
import { checkDataQuality } from './datasets.commands/quality.js';

// Registered when the module loads: inside of a field it would come too late for the schema.
const StateEnum = enumType(qualityState);
const VerdictEnum = enumType(qualityVerdict);

@ObjectType('ExpectationResult', { description: 'What was found about one expectation; never a value.' })
export class ExpectationResultType {
  @Field(() => String)
  kind!: string;

  @Field(() => String, { nullable: true })
  column!: string | null;

  @Field(() => VerdictEnum)
  verdict!: string;

  @Field(() => Float, {
    nullable: true,
    description: 'Mean, quantile, number of rows, age in hours, or share of values that keep to it.',
  })
  observed!: number | null;

  @Field(() => Float, { nullable: true })
  considered!: number | null;

  @Field(() => Float, { nullable: true })
  failing!: number | null;

  @Field(() => [Float], { description: 'The first rows that fail, the first row of data being 1.' })
  rows!: readonly number[];

  @Field(() => String, { nullable: true })
  reason!: string | null;
}

@ObjectType('DataQualityReport')
export class DataQualityReportType {
  @Field(() => Float)
  rows!: number;

  @Field(() => [ExpectationResultType])
  results!: readonly ExpectationResultType[];

  @Field(() => String)
  engine!: string;
}

@ObjectType('DataQualityCheck', { description: 'Expectations that were held against the data of a version.' })
export class DataQualityCheckType {
  @Field(() => ID)
  id!: string;

  @Field(() => ID)
  datasetVersionId!: string;

  @Field(() => String, { description: 'The digest of the content that was checked.' })
  sha256!: string;

  @Field(() => GraphQLJSON)
  expectations!: unknown;

  @Field(() => String, { description: 'sha256 over the canonical JSON of `expectations`.' })
  expectationsSha256!: string;

  @Field(() => StateEnum)
  state!: string;

  @Field(() => String)
  message!: string;

  @Field(() => VerdictEnum, { nullable: true })
  verdict!: string | null;

  @Field(() => DataQualityReportType, { nullable: true })
  report!: DataQualityReportType | null;

  @Field(() => ID)
  jobId!: string;

  @Field(() => ID)
  requestedBy!: string;

  @Field(() => GraphQLDateTimeISO)
  createdAt!: Date;

  @Field(() => GraphQLDateTimeISO, { nullable: true })
  finishedAt!: Date | null;
}

@ObjectType('DataQualityCheckStarted', {
  description: 'The check, and the job under which it can be watched.',
})
export class DataQualityCheckStartedType {
  @Field(() => ID)
  id!: string;

  @Field(() => ID)
  jobId!: string;
}

const QualityPage = pageType('DataQualityCheck', DataQualityCheckType);

@Resolver()
export class DataQualityResolver {
  @QueryField(listQualityChecks, () => QualityPage)
  dataQualityChecks(
    @QueryArgs(listQualityChecks) args: InputOf<typeof listQualityChecks>,
    @Ctx() { ask, actor }: Context,
  ): Promise<Page<QualityView>> {
    return ask(listQualityChecks, actor, args);
  }

  @CommandField(checkDataQuality, () => DataQualityCheckStartedType)
  checkDataQuality(
    @Input(checkDataQuality) input: InputOf<typeof checkDataQuality>,
    @Ctx() { run, actor }: Context,
  ): Promise<{ id: string; jobId: string }> {
    return run(checkDataQuality, actor, input);
  }
}
