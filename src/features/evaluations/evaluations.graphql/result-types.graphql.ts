import { Field, Float, Int, ObjectType, registerEnumType } from 'type-graphql';

const number = (): typeof Float => Float;

@ObjectType('Figure', { description: 'A number with n and a 95 % interval, or no number with the reason.' })
export class FigureType {
  @Field(() => String, { description: 'Stable name, as in the policy of evaluations.' })
  name!: string;

  @Field(() => String)
  label!: string;

  @Field(number, { nullable: true })
  value!: number | null;

  @Field(number, { nullable: true })
  low!: number | null;

  @Field(number, { nullable: true })
  high!: number | null;

  @Field(() => Int, { nullable: true })
  n!: number | null;

  @Field(() => String, { nullable: true, description: 'Why there is no value.' })
  reason!: string | null;
}

const comparisons = { AT_LEAST: 'AT_LEAST', AT_MOST: 'AT_MOST' };
registerEnumType(comparisons, { name: 'CheckComparison' });
const modes = { ENFORCE: 'ENFORCE', WARN: 'WARN' };
registerEnumType(modes, { name: 'CheckMode', description: 'ENFORCE decides the verdict; WARN is watched.' });
const verdicts = { PASS: 'PASS', FAIL: 'FAIL', MISSING: 'MISSING' };
registerEnumType(verdicts, { name: 'CheckVerdict' });

@ObjectType('CheckResult', { description: 'A figure beside its limit.' })
export class CheckResultType {
  @Field(() => String)
  figure!: string;

  @Field(() => String)
  label!: string;

  @Field(number, { nullable: true })
  value!: number | null;

  @Field(() => comparisons)
  comparison!: string;

  @Field(number)
  limit!: number;

  @Field(() => modes)
  mode!: string;

  @Field(() => verdicts)
  verdict!: string;

  @Field(() => String)
  why!: string;
}

@ObjectType('ReliabilityBin', {
  description: 'Rows by predicted probability: mean predicted beside share observed.',
})
export class ReliabilityBinType {
  @Field(number)
  from!: number;

  @Field(number)
  to!: number;

  @Field(() => Int)
  n!: number;

  @Field(number, { nullable: true })
  predicted!: number | null;

  @Field(number, { nullable: true })
  observed!: number | null;

  @Field(number, { nullable: true })
  low!: number | null;

  @Field(number, { nullable: true })
  high!: number | null;
}

@ObjectType('GroupFigure', {
  description: 'One metric of one group; small groups are suppressed and say so.',
})
export class GroupFigureType {
  @Field(() => String)
  attribute!: string;

  @Field(() => String)
  group!: string;

  @Field(() => String)
  metric!: string;

  @Field(number, { nullable: true })
  value!: number | null;

  @Field(number, { nullable: true })
  low!: number | null;

  @Field(number, { nullable: true })
  high!: number | null;

  @Field(() => Int, { nullable: true })
  n!: number | null;

  @Field(() => String, { nullable: true })
  reason!: string | null;
}

@ObjectType('GroupComparison', { description: 'One metric of a group beside that of the reference group.' })
export class GroupComparisonType {
  @Field(() => String)
  attribute!: string;

  @Field(() => String)
  group!: string;

  @Field(() => String)
  reference!: string;

  @Field(() => String)
  metric!: string;

  @Field(number, { nullable: true })
  difference!: number | null;

  @Field(number, { nullable: true })
  differenceLow!: number | null;

  @Field(number, { nullable: true })
  differenceHigh!: number | null;

  @Field(number, { nullable: true })
  ratio!: number | null;

  @Field(number, { nullable: true })
  ratioLow!: number | null;

  @Field(number, { nullable: true })
  ratioHigh!: number | null;

  @Field(() => Int, { nullable: true })
  n!: number | null;

  @Field(() => String, { nullable: true })
  test!: string | null;

  @Field(number, { nullable: true })
  pValue!: number | null;

  @Field(number, { nullable: true, description: 'Corrected by Holm for all comparisons of the attribute.' })
  adjustedPValue!: number | null;

  @Field(() => String, { nullable: true })
  reason!: string | null;
}

@ObjectType('FourFifthsRow', { description: 'A selection rate beside the highest one (29 CFR 1607.4).' })
export class FourFifthsRowType {
  @Field(() => String)
  attribute!: string;

  @Field(() => String)
  group!: string;

  @Field(() => String)
  highest!: string;

  @Field(number, { nullable: true })
  ratio!: number | null;

  @Field(number, { nullable: true })
  low!: number | null;

  @Field(number, { nullable: true })
  high!: number | null;

  @Field(() => Int, { nullable: true })
  n!: number | null;

  @Field(() => String, {
    description: '`below`, `straddles`, `above` or `unknown`: where the whole interval lies.',
  })
  verdict!: string;

  @Field(() => String, { nullable: true })
  reason!: string | null;
}

@ObjectType('AttributionRow', {
  description: 'Mean size of the contributions of one input, in units of probability.',
})
export class AttributionRowType {
  @Field(() => String)
  player!: string;

  @Field(() => String)
  label!: string;

  @Field(number)
  mean!: number;

  @Field(number, { nullable: true })
  standardError!: number | null;

  @Field(number, { description: 'Of the sum of all means.' })
  share!: number;

  @Field(() => Int)
  n!: number;
}
