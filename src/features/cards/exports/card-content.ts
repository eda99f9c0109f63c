import { z } from 'zod';
import { cardTypes } from '../card-types.js';
import type { CardFieldView, CardView } from '../read-card.js';

/* What exports take from a card. Values are read by their shape: what has another one is treated as unknown. */

const figure = z.object({
  name: z.string(),
  label: z.string(),
  value: z.number().nullable(),
  low: z.number().nullable(),
  high: z.number().nullable(),
  n: z.number().nullable(),
});

const dataset = z.object({ name: z.string(), sha256: z.string(), rows: z.number().optional() });

const evidence = z.object({ verdict: z.string(), dataset, figures: z.array(figure) });

const slice = z.object({
  attribute: z.string(),
  group: z.string(),
  metric: z.string(),
  value: z.number().nullable(),
  low: z.number().nullable(),
  high: z.number().nullable(),
  n: z.number().nullable(),
});

const registeredDataset = z.object({
  name: z.string(),
  sha256: z.string(),
  role: z.string(),
  rows: z.number().nullish(),
  source: z.string().nullish(),
  licence: z.string().nullish(),
});

const value = z.looseObject({ name: z.string() });

const signature = z.union([
  z.object({ inputs: z.array(value), outputs: z.array(value) }),
  z
    .object({ files: z.array(z.object({ inputs: z.array(value), outputs: z.array(value) })) })
    .transform(({ files }) => ({
      inputs: files.flatMap((one) => one.inputs),
      outputs: files.flatMap((one) => one.outputs),
    })),
]);

const artifact = z.object({ path: z.string(), sha256: z.string(), bytes: z.number() });
const parent = z.object({ model: z.string(), version: z.number(), digest: z.string().nullable() });
const change = z.object({ field: z.string(), label: z.string(), change: z.string() });
const registered = z.object({ by: z.string(), at: z.string() });

/** A value in its shape, or null. */
const shaped = <Shape extends z.ZodType>(shape: Shape) => shape.nullable().catch(null);

const knownValues = z.object({
  licence: shaped(cardTypes.licence),
  owners: shaped(cardTypes.people),
  users: shaped(cardTypes.texts),
  tradeoffs: shaped(cardTypes.texts),
  languages: shaped(cardTypes.texts),
  risks: shaped(cardTypes.risks),
  fairnessAssessments: shaped(cardTypes.groups),
  links: shaped(cardTypes.links),
  citations: shaped(cardTypes.citations),
  dataSheets: shaped(cardTypes.dataSheets),
  energy: shaped(cardTypes.energy),
  performance: shaped(evidence),
  performanceBySlice: shaped(z.array(slice)),
  metrics: shaped(z.record(z.string(), z.number())),
  params: shaped(z.record(z.string(), z.string())),
  datasets: shaped(z.array(registeredDataset)),
  signature: shaped(signature),
  artifacts: shaped(z.array(artifact)),
  parent: shaped(parent),
  changesSinceApproved: shaped(z.array(change)),
  registered: shaped(registered),
  version: shaped(z.number()),
});

/** One measured number: of the whole, or of a slice of it. */
export interface Measure {
  readonly type: string;
  readonly label: string;
  readonly value: number;
  readonly low: number | null;
  readonly high: number | null;
  readonly n: number | null;
  readonly slice: string | null;
}

/** A card as exports read it. */
export interface CardContent {
  readonly card: CardView;
  /** The values of fields in their shapes; null where they are unknown. */
  readonly known: z.output<typeof knownValues>;
  /** The value of a field that is a text, or null. */
  readonly text: (name: string) => string | null;
  readonly field: (name: string) => CardFieldView | undefined;
  /** Labels of all fields that nobody knows. */
  readonly unknown: readonly string[];
  readonly measures: readonly Measure[];
}

const counts = /^(rows|true(Positives|Negatives)|false(Positives|Negatives)|runtimeGap)$/;

const labelled = (figures: readonly z.output<typeof figure>[], metric: string): string =>
  figures.find((one) => one.name === metric)?.label ?? metric;

/** Evidence first; what was only registered stands for itself, without n and interval. */
const measuresOf = (known: CardContent['known']): Measure[] => {
  const performance = known.performance;
  const figures = performance?.figures ?? [];
  const whole = figures
    .filter(({ name }) => !counts.test(name))
    .flatMap(({ name: type, label, value: measured, low, high, n }): Measure[] =>
      measured === null ? [] : [{ type, label, value: measured, low, high, n, slice: null }],
    );
  const slices = (known.performanceBySlice ?? [])
    .filter(({ metric }) => !counts.test(metric))
    .flatMap(({ attribute, group, metric: type, value: measured, low, high, n }): Measure[] => {
      if (measured === null) return [];
      const label = labelled(figures, type);
      return [{ type, label, value: measured, low, high, n, slice: `${attribute}: ${group}` }];
    });
  const stated = Object.entries(known.metrics ?? {}).map(([type, number]): Measure => {
    const label = `${type} (as registered)`;
    return { type, label, value: number, low: null, high: null, n: null, slice: null };
  });
  return [...whole, ...slices, ...stated];
};

/** Opens a card for export. */
export const contentOf = (card: CardView): CardContent => {
  const fields = new Map(card.fields.map((field) => [field.name, field]));
  const known = knownValues.parse(Object.fromEntries(card.fields.map(({ name, value: of }) => [name, of])));
  const text = (name: string): string | null => {
    const found = fields.get(name)?.value;
    return typeof found === 'string' ? found : null;
  };
  const unknown = card.fields.filter((one) => one.source === 'UNKNOWN').map((one) => one.label);
  return { card, known, text, field: (name) => fields.get(name), unknown, measures: measuresOf(known) };
};

/** What is said where nobody knows. */
export const notKnown = 'unknown';

/** The name of a model with its version, as a title. */
export const titleOf = ({ text, known }: CardContent): string =>
  `${text('modelName') ?? notKnown}, version ${String(known.version ?? notKnown)}`;

/** An object without what is null or an empty list: what is not known is left out, not written as nothing. */
export const present = (value: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(value).filter(
      ([, inner]) => inner !== null && inner !== undefined && !(Array.isArray(inner) && inner.length === 0),
    ),
  );

/** Format of an input or output as one line. */
export const formatOf = ({ name, ...rest }: z.output<typeof value>): string => {
  const about = Object.entries(rest)
    .filter(([key]) => ['kind', 'elementType', 'shape', 'unit', 'min', 'max', 'categories'].includes(key))
    .map(([key, inner]) => `${key} ${typeof inner === 'string' ? inner : JSON.stringify(inner)}`);
  return about.length === 0 ? name : `${name}: ${about.join(', ')}`;
};
