import { z } from 'zod';

/*
 * What data may be expected to keep to. Values, names and patterns come from people and end up in SQL: they are bounded
 * here and quoted in `compute/quality`.
 */

const text = (most: number): z.ZodString =>
  z
    .string()
    .max(most)
    // eslint-disable-next-line no-control-regex -- the one sign that no SQL text may hold
    .regex(/^[^\u0000]*$/, 'must not hold the sign NUL');

const column = text(300).min(1);
/** Share of the values that must keep to it, 1 for all of them. */
const share = z.number().min(0).max(1).default(1);

const limits = { atLeast: z.number().nullish(), atMost: z.number().nullish() };

interface Limits {
  readonly atLeast?: number | null | undefined;
  readonly atMost?: number | null | undefined;
}

const isBounded = ({ atLeast, atMost }: Limits): boolean => (atLeast ?? atMost ?? null) !== null;
const needed = { message: 'needs atLeast, atMost or both' };

/** One expectation, by its kind. Missing values break NOT_NULL only; the others are about the values that are there. */
export const dataExpectation = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('COLUMN'), column }),
  z.strictObject({
    kind: z.literal('TYPE'),
    column,
    type: z.enum(['NUMBER', 'INTEGER', 'BOOLEAN', 'DATE', 'TIMESTAMP']),
    share,
  }),
  z.strictObject({ kind: z.literal('NOT_NULL'), column, share }),
  z.strictObject({ kind: z.literal('UNIQUE'), column }),
  z.strictObject({ kind: z.literal('RANGE'), column, ...limits, share }).refine(isBounded, needed),
  z.strictObject({ kind: z.literal('IN_SET'), column, values: z.array(text(200)).min(1).max(200), share }),
  z.strictObject({ kind: z.literal('REGEX'), column, pattern: text(500).min(1), share }),
  z.strictObject({ kind: z.literal('REFERS_TO'), column, to: column }),
  z.strictObject({ kind: z.literal('ROWS'), ...limits }).refine(isBounded, needed),
  z.strictObject({ kind: z.literal('FRESH'), column, maxAgeHours: z.number().positive().max(876_000) }),
  z.strictObject({ kind: z.literal('MEAN'), column, ...limits }).refine(isBounded, needed),
  z
    .strictObject({ kind: z.literal('QUANTILE'), column, p: z.number().min(0).max(1), ...limits })
    .refine(isBounded, needed),
]);

/** One expectation. */
export type DataExpectation = z.output<typeof dataExpectation>;

/** A list of expectations, small enough to be one statement. */
export const dataExpectations = z
  .array(dataExpectation)
  .min(1)
  .max(200)
  .refine((list) => JSON.stringify(list).length <= 200_000, 'must not be longer than 200,000 signs in all');

const count = z.int().min(0);

/** What was found about one expectation; never a value of the data. */
export const expectationResult = z.strictObject({
  kind: z.string().max(20),
  column: z.string().max(300).nullable(),
  /** UNKNOWN: there is nothing to judge, and `reason` says why. */
  verdict: z.enum(['PASS', 'FAIL', 'UNKNOWN']),
  /** The mean, quantile, number of rows, age in hours, or share of values that keep to it. */
  observed: z.number().nullable(),
  /** Values that were judged. */
  considered: count.nullable(),
  failing: count.nullable(),
  /** Numbers of the first rows that fail, the first row of data being 1. */
  rows: z.array(z.int().min(1)).max(5),
  reason: z.string().max(500).nullable(),
});

/** What was found about one expectation. */
export type ExpectationResult = z.output<typeof expectationResult>;

/** What was found in all. */
export const qualityReport = z.strictObject({
  rows: count,
  verdict: z.enum(['PASS', 'FAIL', 'UNKNOWN']),
  results: z.array(expectationResult).max(200),
  engine: z.string().max(100),
});

/** What was found in all. */
export type QualityReport = z.output<typeof qualityReport>;
