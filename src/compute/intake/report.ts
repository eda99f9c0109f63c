import { z } from 'zod';

/*
 * What the process that opens a model file says about it. The file may be hostile and may have taken that process
 * over, so its words are checked as those of any stranger.
 */

const name = z.string().max(1000);
const dimension = z.union([z.number(), z.string().max(200), z.null()]);

const value = z.object({
  name,
  elementType: z.string().max(50),
  shape: z.array(dimension).max(64).nullable(),
});

/** An input or output of a model: name, element type, dimensions (a number, a symbol, or unknown). */
export type ModelValue = z.output<typeof value>;

export const modelReport = z.object({
  irVersion: z.number(),
  producer: z.string().max(500),
  opsets: z.record(z.string().max(200), z.number()),
  inputs: z.array(value).max(2000),
  outputs: z.array(value).max(2000),
  /** How often each `domain:operator` occurs. */
  operators: z.record(z.string().max(300), z.number()),
  initializers: z.number(),
  /** Whether one row of zeros was run through it; a model with open dimensions is only loaded. */
  zeroRow: z.boolean(),
  runtime: z.string().max(100),
});

/** What a model file is, as far as intake looks. */
export type ModelReport = z.output<typeof modelReport>;

export const answer = z.discriminatedUnion('accepted', [
  z.object({ accepted: z.literal(true), report: modelReport }),
  z.object({ accepted: z.literal(false), reason: z.string().min(1).max(2000) }),
]);

/** The verdict over one file: accepted with what it is, or refused with a sentence. */
export type Answer = z.output<typeof answer>;
