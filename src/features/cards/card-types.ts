import { z } from 'zod';

const line = z.string().trim().min(1).max(500);
const text = z.string().trim().min(1).max(20_000);
const paragraph = z.string().trim().min(1).max(4000);

/** Only what a reader may follow without harm. */
const address = z.url({ protocol: /^https?$/, error: 'must be an address with http or https' }).max(2000);

const few = <Item extends z.ZodType>(item: Item) => z.array(item).min(1).max(100);

const licence = z.union([
  z.strictObject({ identifier: line.max(100).describe('SPDX identifier') }),
  z.strictObject({ text }),
]);

const sheet = z.strictObject({
  dataset: line,
  provenance: paragraph.optional(),
  scope: paragraph.optional(),
  selection: paragraph.optional(),
  labelling: paragraph.optional(),
  cleaning: paragraph.optional(),
  sensitive: z.array(line).max(50).optional(),
  classification: line.optional(),
  licence: line.optional(),
  owner: line.optional(),
  url: address.optional(),
});

const activities = [
  'design',
  'data-collection',
  'data-preparation',
  'training',
  'fine-tuning',
  'validation',
  'deployment',
  'inference',
  'other',
] as const;

const energy = z.strictObject({
  activity: z.enum(activities),
  kWh: z.number().min(0),
  tCO2eq: z.number().min(0).optional(),
  provider: line.optional(),
  region: line.optional(),
  hardware: line.optional(),
  hours: z.number().min(0).optional(),
});

/** The shapes that values of fields have, strict: what is not asked for is refused. */
export const cardTypes = {
  text,
  texts: few(paragraph),
  choice: line,
  people: few(z.strictObject({ name: line, contact: line.optional() })),
  licence,
  risks: few(
    z.strictObject({ name: paragraph, mitigation: paragraph.optional(), residual: paragraph.optional() }),
  ),
  groups: few(
    z.strictObject({
      groupAtRisk: line,
      benefits: paragraph.optional(),
      harms: paragraph.optional(),
      mitigation: paragraph.optional(),
    }),
  ),
  links: few(z.strictObject({ label: line.optional(), url: address })),
  citations: few(z.strictObject({ style: line.max(50), citation: paragraph })),
  dataSheets: few(sheet),
  energy: few(energy),
  thresholds: few(
    z.strictObject({
      measure: line,
      comparison: z.enum(['AT_LEAST', 'AT_MOST']),
      limit: z.number(),
      action: paragraph,
    }),
  ),
  standards: few(z.strictObject({ standard: line, extent: paragraph.optional() })),
} as const;

/** How a shape looks, for whoever is asked to fill it. */
export const cardShapes: Readonly<Record<keyof typeof cardTypes, string>> = {
  text: 'a text',
  texts: 'a list of texts',
  choice: 'one of the options',
  people: 'a list of { name, contact? }',
  licence: '{ identifier } with an SPDX identifier, or { text }',
  risks: 'a list of { name, mitigation?, residual? }',
  groups: 'a list of { groupAtRisk, benefits?, harms?, mitigation? }',
  links: 'a list of { label?, url }',
  citations: 'a list of { style, citation }',
  dataSheets:
    'a list of { dataset, provenance?, scope?, selection?, labelling?, cleaning?, sensitive?, classification?, licence?, owner?, url? }',
  energy: 'a list of { activity, kWh, tCO2eq?, provider?, region?, hardware?, hours? }',
  thresholds: 'a list of { measure, comparison: AT_LEAST | AT_MOST, limit, action }',
  standards: 'a list of { standard, extent? }',
};

/** A value that a person attested, of any shape. */
export type CardValue = z.output<(typeof cardTypes)[keyof typeof cardTypes]>;
