import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { installationRoot } from '../../kernel/root.js';
import type { ReportTemplate } from './report.entity.js';

/** How a field is written. `interval` puts value, low and high into one cell. */
const format = z.enum(['text', 'integer', 'number', 'share', 'time', 'hash', 'verdict', 'yes', 'interval', 'words']);

/** One way of writing. */
export type ColumnFormat = z.output<typeof format>;

const column = z.strictObject({
  field: z.string(),
  title: z.string(),
  format: format.default('text'),
  /** On paper, relative to the other columns. */
  weight: z.number().positive().default(1),
  /** In a sheet, in characters. */
  width: z.number().positive().default(20),
});

/** A column of a table. */
export type Column = z.output<typeof column>;

const where = z.record(z.string(), z.string()).default({});

const block = z.union([
  z.strictObject({ paragraph: z.string() }),
  z.strictObject({ note: z.string() }),
  z.strictObject({ notes: z.string().describe('A table whose field `note` is written as paragraphs.') }),
  z.strictObject({
    table: z.string(),
    caption: z.string(),
    empty: z.string(),
    where,
    most: z.int().min(1).default(200),
    columns: z.array(column).min(1),
  }),
  z.strictObject({
    intervals: z.string(),
    title: z.string(),
    axis: z.string(),
    where,
    label: z.string(),
    /** Fields of value and of half the interval, where there is no low and high. */
    value: z.string().default('value'),
    error: z.string().optional(),
    /** The field that says of how many the value is a share or mean. */
    count: z.string().default('n'),
    /** One chart for each value of this field, which `{each}` names in the title. */
    each: z.string().optional(),
    largest: z.number().positive().optional(),
  }),
  z.strictObject({ reliability: z.string(), title: z.string(), axis: z.string(), where }),
]);

/** A piece of a template. */
export type TemplateBlock = z.output<typeof block>;

const template = z.strictObject({
  schema: z.literal('countersign.report-template/1'),
  edition: z.int().min(1),
  subtitle: z.string(),
  sections: z.array(z.strictObject({ heading: z.string(), blocks: z.array(block).min(1) })).min(1),
  sheets: z.array(z.strictObject({ name: z.string().max(31), about: z.string(), table: z.string(), columns: z.array(column).min(1) })).min(1),
});

/** Texts, columns and sheets of a kind of report. */
export type Template = z.output<typeof template>;

const known = new Map<ReportTemplate, Template>();

/** The template of the installation, from `reports/<name>.yaml`. */
export const readTemplate = (name: ReportTemplate): Template => {
  const read = known.get(name) ?? template.parse(parse(readFileSync(join(installationRoot, 'reports', `${name}.yaml`), 'utf8')));
  known.set(name, read);
  return read;
};
