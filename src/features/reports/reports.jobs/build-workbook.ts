import type { SheetFormat, WorkbookDocument } from '../../../compute/report/index.js';
import type { ReportData } from '../report-data.js';
import type { ColumnFormat, Template } from '../template.js';
import { filled } from './format.js';

const sheetFormats: Readonly<Record<ColumnFormat, SheetFormat>> = {
  text: 'text',
  hash: 'text',
  words: 'text',
  verdict: 'text',
  integer: 'integer',
  number: 'number',
  interval: 'number',
  share: 'share',
  time: 'time',
  yes: 'boolean',
};

/** What the workbook shows: every table whole, one sheet each. */
export const buildWorkbook = (
  template: Template,
  data: ReportData,
  names: { reportId: string; dataSha256: string },
): WorkbookDocument => ({
  ...names,
  title: `${data.title}: ${filled(template.subtitle, data.values)}`,
  cutOff: data.cutOff,
  sheets: template.sheets.map(({ name, about, table, columns }) => ({
    name,
    about: filled(about, data.values),
    columns: columns.map(({ title, width, format }) => ({ title, width, format: sheetFormats[format] })),
    rows: (table === 'facts' ? data.facts.map((fact) => ({ ...fact })) : (data.tables[table] ?? [])).map((row) =>
      columns.map(({ field }) => row[field as keyof typeof row] ?? null),
    ),
  })),
});
