import type { Block, IntervalBar, PaperDocument, ReliabilityPoint } from '../../../compute/report/index.js';
import { shownTime, type DataRow, type ReportData } from '../report-data.js';
import type { Template, TemplateBlock } from '../template.js';
import { filled, intervalText, isNumeric, paperCell, percent, rowsWhere } from './format.js';

type Of<Key extends string> = Extract<TemplateBlock, Record<Key, unknown>>;

const tableBlocks = (block: Of<'table'>, data: ReportData): Block[] => {
  const rows = rowsWhere(data.tables[block.table] ?? [], block.where, data.values);
  const caption = filled(block.caption, data.values);
  if (rows.length === 0) return [{ kind: 'paragraph', text: filled(block.empty, data.values), isNote: true }];
  const table: Block = {
    kind: 'table',
    caption,
    columns: block.columns.map((column) => ({
      title: column.title,
      weight: column.weight,
      align: isNumeric(column) ? 'right' : 'left',
    })),
    rows: rows.slice(0, block.most).map((row) => block.columns.map((column) => paperCell(row, column))),
  };
  if (rows.length <= block.most) return [table];
  const text = `${String(rows.length - block.most)} more rows stand in the workbook.`;
  return [table, { kind: 'paragraph', text, isNote: true }];
};

const numberOf = (row: DataRow, field: string): number | null => {
  const value = row[field];
  return typeof value === 'number' ? value : null;
};

const withError = (row: DataRow, { value, error }: Of<'intervals'>): DataRow => {
  const mean = numberOf(row, value);
  if (error === undefined) return { ...row, value: mean };
  const half = 1.96 * (numberOf(row, error) ?? 0);
  return { ...row, value: mean, low: mean === null ? null : Math.max(0, mean - half), high: mean === null ? null : mean + half };
};

const barOf = (row: DataRow, block: Of<'intervals'>): IntervalBar => {
  const n = numberOf(row, block.count);
  const size = n === null ? '' : `, n = ${n.toLocaleString('en-US')}`;
  const value = numberOf(row, 'value');
  return {
    label: String(row[block.label] ?? ''),
    value,
    low: numberOf(row, 'low'),
    high: numberOf(row, 'high'),
    note: value === null ? intervalText(row) : `${intervalText(row, percent)}${size}`,
  };
};

/** At least the largest bar, and such that the quarters at which lines are drawn are whole in thousandths. */
const roundUp = (value: number): number => [0.02, 0.04, 0.08, 0.12, 0.16, 0.2, 0.24, 0.28, 0.32, 0.4, 0.6, 0.8].find((step) => value <= step) ?? 1;

const intervalsChart = (block: Of<'intervals'>, rows: readonly DataRow[], values: ReportData['values']): Block => {
  const bars = rows.slice(0, 30).map((row) => barOf(row, block));
  const most = Math.max(...bars.map(({ value, high }) => high ?? value ?? 0));
  const title = filled(block.title, values);
  const alt = `${title}. ${bars.map(({ label, note }) => `${label}: ${note}`).join('; ')}.`;
  const axis = filled(block.axis, values);
  return { kind: 'chart', title, alt, chart: { kind: 'intervals', bars, largest: block.largest ?? roundUp(most), axis } };
};

const intervalsBlocks = (block: Of<'intervals'>, data: ReportData): Block[] => {
  const { each } = block;
  const rows = rowsWhere(data.tables[block.intervals] ?? [], block.where, data.values).map((row) => withError(row, block));
  if (rows.length === 0) return [];
  if (each === undefined) return [intervalsChart(block, rows, data.values)];
  const names = [...new Set(rows.map((row) => String(row[each])))];
  return names.map((name) => {
    const own = rows.filter((row) => String(row[each]) === name);
    return intervalsChart(block, own, { ...data.values, each: name });
  });
};

/** The point of a bin; an empty bin has none. */
const pointOf = (row: DataRow): ReliabilityPoint[] => {
  const predicted = numberOf(row, 'predicted');
  const observed = numberOf(row, 'observed');
  const n = numberOf(row, 'n');
  if (predicted === null || observed === null || n === null) return [];
  const low = numberOf(row, 'low') ?? observed;
  return [{ predicted, observed, low, high: numberOf(row, 'high') ?? observed, n }];
};

const reliabilityBlocks = (block: Of<'reliability'>, data: ReportData): Block[] => {
  const rows = rowsWhere(data.tables[block.reliability] ?? [], block.where, data.values);
  const points = rows.flatMap(pointOf);
  if (points.length === 0) return [];
  const title = filled(block.title, data.values);
  const words = points.map(({ predicted, observed, n }) => `predicted ${percent(predicted)}, observed ${percent(observed)}, n = ${String(n)}`);
  const axis = filled(block.axis, data.values);
  return [{ kind: 'chart', title, alt: `${title}. ${words.join('; ')}.`, chart: { kind: 'reliability', points, axis } }];
};

const notesBlocks = (table: string, data: ReportData): Block[] => {
  const items = (data.tables[table] ?? []).map((row) => String(row['note'] ?? ''));
  return items.length === 0 ? [] : [{ kind: 'list', items }];
};

const blocksOf = (block: TemplateBlock, data: ReportData): Block[] => {
  if ('paragraph' in block) return [{ kind: 'paragraph', text: filled(block.paragraph, data.values) }];
  if ('note' in block) return [{ kind: 'paragraph', text: filled(block.note, data.values), isNote: true }];
  if ('notes' in block) return notesBlocks(block.notes, data);
  if ('table' in block) return tableBlocks(block, data);
  if ('intervals' in block) return intervalsBlocks(block, data);
  return reliabilityBlocks(block, data);
};

/** What the PDF shows: the template, filled with the data and with nothing else. */
export const buildPaper = (template: Template, data: ReportData, names: { reportId: string; dataSha256: string }): PaperDocument => ({
  ...names,
  title: data.title,
  subtitle: filled(template.subtitle, data.values),
  cutOff: data.cutOff,
  cutOffText: shownTime(data.cutOff),
  facts: data.facts,
  blocks: template.sections.flatMap(({ heading, blocks }, index): Block[] => [
    { kind: 'heading', text: `${String(index + 1)}  ${heading}` },
    ...blocks.flatMap((block) => blocksOf(block, data)),
  ]),
});
