import { GraphQLDateTimeISO } from 'graphql-scalars';
import { Field, Float, ID, Int, ObjectType } from 'type-graphql';

const number = (): typeof Float => Float;
const distance = { nullable: true } as const;

@ObjectType('DriftRow', {
  description: 'How far one column has moved from its frozen baseline. What does not apply has no value.',
})
export class DriftRowType {
  @Field(() => String)
  column!: string;

  @Field(() => String, { description: 'NUMERIC or CATEGORICAL.' })
  kind!: string;

  @Field(() => Float)
  rows!: number;

  @Field(() => Float, { description: 'Rows without a value.' })
  missing!: number;

  @Field(() => Float)
  missingBefore!: number;

  @Field(() => Float, {
    description: 'Rows out of the range of the baseline, or with names it does not list.',
  })
  unseen!: number;

  @Field(number, { ...distance, description: 'Population stability index, natural logarithm.' })
  psi!: number | null;

  @Field(number, { ...distance, description: 'Chance exceeds this in one of twenty comparisons.' })
  psiThreshold!: number | null;

  @Field(number, distance)
  psiPValue!: number | null;

  @Field(number, { ...distance, description: 'Corrected by Holm for all columns of the baseline.' })
  adjustedPValue!: number | null;

  @Field(number, { ...distance, description: 'Jensen-Shannon distance, base e.' })
  jensenShannon!: number | null;

  @Field(number, distance)
  hellinger!: number | null;

  @Field(number, { ...distance, description: 'The Kolmogorov-Smirnov statistic is at least this …' })
  kolmogorovLow!: number | null;

  @Field(number, { ...distance, description: '… and at most this.' })
  kolmogorovHigh!: number | null;

  @Field(number, { ...distance, description: 'Earth mover’s distance, in the unit of the column.' })
  wasserstein!: number | null;

  @Field(number, distance)
  wassersteinLow!: number | null;

  @Field(number, distance)
  wassersteinHigh!: number | null;

  @Field(number, distance)
  chiSquarePValue!: number | null;

  @Field(() => Boolean, { description: 'Beyond the limit of the policy, and not by chance.' })
  drifted!: boolean;

  @Field(() => String, { nullable: true })
  reason!: string | null;
}

@ObjectType('DriftBaselineColumn')
export class DriftBaselineColumnType {
  @Field(() => String)
  name!: string;

  @Field(() => String)
  kind!: string;

  @Field(() => Int)
  bins!: number;
}

@ObjectType('DriftBaseline', {
  description: 'How the columns of a table were when an evaluation froze them.',
})
export class DriftBaselineType {
  @Field(() => ID)
  id!: string;

  @Field(() => ID)
  evaluationId!: string;

  @Field(() => ID)
  versionId!: string;

  @Field(() => String)
  versionDigest!: string;

  @Field(() => ID)
  useCaseId!: string;

  @Field(() => String)
  datasetSha256!: string;

  @Field(() => String, { description: 'sha256 over the canonical JSON of edges, names and counts.' })
  sha256!: string;

  @Field(() => Float)
  rows!: number;

  @Field(() => [DriftBaselineColumnType])
  columns!: DriftBaselineColumnType[];

  @Field(() => Boolean, { description: 'Whether performance can be expected from it without outcomes.' })
  calibrated!: boolean;

  @Field(() => GraphQLDateTimeISO)
  createdAt!: Date;
}

@ObjectType('DriftPoint', { description: 'One period beside the baseline, or all of them added up.' })
export class DriftPointType {
  @Field(() => ID, { nullable: true })
  evaluationId!: string | null;

  @Field(() => GraphQLDateTimeISO, { nullable: true })
  observedAt!: Date | null;

  @Field(() => Float)
  rows!: number;

  @Field(() => [DriftRowType])
  columns!: DriftRowType[];
}

@ObjectType('DriftSeries')
export class DriftSeriesType {
  @Field(() => ID)
  baselineId!: string;

  @Field(() => [DriftPointType], { description: 'The oldest first.' })
  points!: DriftPointType[];

  @Field(() => DriftPointType, { nullable: true })
  whole!: DriftPointType | null;
}
