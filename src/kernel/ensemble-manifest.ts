import { z } from 'zod';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const place = {
  name: z.string().min(1),
  label: z.string().min(1),
  description: z.string(),
  /** First column and number of columns in the matrix. */
  columns: z.tuple([z.int().min(0), z.int().min(1)]),
};

const numericInput = z.object({
  ...place,
  kind: z.literal('numeric'),
  unit: z.string().optional(),
  integer: z.boolean().default(false),
  min: z.number(),
  max: z.number(),
});

const categoricalInput = z.object({
  ...place,
  kind: z.literal('categorical'),
  categories: z.array(z.string()).min(2),
});

/** What a model is asked with: names, kinds, ranges, and what must never be asked. */
export const ensembleSignature = z.object({
  inputs: z.array(z.discriminatedUnion('kind', [numericInput, categoricalInput])).min(1),
  excluded: z.array(z.object({ name: z.string(), reason: z.string() })),
});

const bins = z.discriminatedUnion('kind', [
  z.object({
    name: z.string(),
    kind: z.literal('numeric'),
    edges: z.array(z.number()).min(1),
    frequencies: z.array(z.number().positive()).min(2),
  }),
  z.object({
    name: z.string(),
    kind: z.literal('categorical'),
    categories: z.array(z.string()).min(2),
    frequencies: z.array(z.number().positive()).min(2),
  }),
]);

/** The part of a manifest of an ensemble (`models/manifest.schema.json`) that running it needs. */
export const ensembleManifest = ensembleSignature.extend({
  schema: z.literal('countersign.ensemble/1'),
  name: z.string(),
  version: z.string(),
  target: z.object({ name: z.string(), positive: z.string(), threshold: z.number().gt(0).lt(1) }),
  encodedWidth: z.int().min(1),
  members: z
    .array(
      z.object({
        name: z.string(),
        file: z.string(),
        sha256,
        weight: z.number().positive(),
        input: z.string(),
        output: z.string(),
      }),
    )
    .min(1),
  calibration: z.object({ method: z.literal('platt-logit'), a: z.number(), b: z.number() }),
  background: z.object({
    file: z.string(),
    sha256,
    rows: z.int().min(1),
    smallerSample: z.int().min(1).optional(),
  }),
  /** The data files as they were when the ensemble was made. */
  data: z.array(z.object({ sha256: z.string(), rows: z.int().min(1).optional() })).default([]),
  outOfDistribution: z.object({
    method: z.literal('binned-surprise'),
    threshold: z.number(),
    inputs: z.array(bins).min(1),
    ranges: z.array(z.object({ name: z.string(), min: z.number(), max: z.number() })),
  }),
});

/** A manifest of an ensemble, as far as running it needs it. */
export type EnsembleManifest = z.output<typeof ensembleManifest>;

/** Names, kinds and ranges of the inputs, and the exclusions. */
export type EnsembleSignature = z.output<typeof ensembleSignature>;

/** One input of a model. */
export type EnsembleInput = EnsembleSignature['inputs'][number];
