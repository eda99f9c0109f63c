import { z } from 'zod';

/*
 * What the process that profiles a data file says about it. The file may be hostile and may have taken that process
 * over, so its words are checked as those of any stranger.
 */

const name = z.string().max(300);
const count = z.int().min(0);
const number = z.number().nullable();

/** A count that may be hidden: null where so few rows are behind it that they could be told. */
const shownCount = count.nullable();

const bin = z.object({ from: z.number(), to: z.number(), count: shownCount });
const category = z.object({ value: z.string().max(200), count: shownCount });

const column = z.object({
  name,
  type: z.string().max(300),
  kind: z.enum(['NUMERIC', 'CATEGORICAL', 'TEMPORAL', 'OTHER']),
  missing: count,
  /** About so many different values. */
  distinct: count,
  min: z.union([z.number(), z.string().max(200)]).nullable(),
  max: z.union([z.number(), z.string().max(200)]).nullable(),
  mean: number,
  standardDeviation: number,
  /** At 5, 25, 50, 75 and 95 %; null where they are not numbers. */
  quantiles: z.array(z.number()).max(5).nullable(),
  histogram: z.array(bin).max(50),
  /** The most frequent values; none where nearly every row has its own. */
  categories: z.array(category).max(50),
});

const group = z.object({ group: z.string().max(200), size: shownCount });

export const dataProfile = z.object({
  format: z.enum(['CSV', 'PARQUET']),
  rows: count,
  /** All of the columns, also those that were not profiled. */
  schema: z.array(z.object({ name, type: z.string().max(300) })).max(2000),
  columns: z.array(column).max(200),
  correlations: z.array(z.object({ left: name, right: name, value: z.number().min(-1).max(1) })).max(1000),
  groups: z.array(z.object({ attribute: name, groups: z.array(group).max(201), hidden: count })).max(50),
  /** Attributes that are said to be protected and are no columns. */
  absent: z.array(name).max(50),
  duplicates: z.object({ rows: count, exact: z.boolean() }),
  /** Counts from 1 to this one are hidden, and as many others as it takes that none of them follows. */
  largestHidden: count,
  engine: z.string().max(100),
});

/** What is in a data file, in figures of which none tells a person. */
export type DataProfile = z.output<typeof dataProfile>;

export const profileAnswer = z.discriminatedUnion('accepted', [
  z.object({ accepted: z.literal(true), profile: dataProfile }),
  z.object({ accepted: z.literal(false), reason: z.string().min(1).max(2000) }),
]);

/** The profile of a file, or a sentence that says why it has none. */
export type ProfileAnswer = z.output<typeof profileAnswer>;
