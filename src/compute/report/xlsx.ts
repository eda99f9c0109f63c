import ExcelJS from 'exceljs';
import type { Sheet, SheetFormat, WorkbookDocument } from './document.js';

const numberFormats: Readonly<Record<SheetFormat, string>> = {
  text: '@',
  integer: '#,##0',
  number: '0.0000',
  share: '0.0%',
  time: 'yyyy-mm-dd hh:mm',
  boolean: 'General',
};

type Value = Sheet['rows'][number][number];

/** What Excel would take for a formula when a cell is edited, or when the sheet is saved as CSV and opened again. */
const startsLikeFormula = /^[=+\-@\t\r]/;
const mostCharacters = 32_000;
/** Characters that XML 1.0 cannot hold. */
// eslint-disable-next-line no-control-regex -- these are the characters to be taken out
const notInXml = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;

/** Text as it is safe in a cell: never a formula, never more than Excel takes. */
export const safeText = (text: string): string => {
  const clean = text.replace(notInXml, '').slice(0, mostCharacters);
  return startsLikeFormula.test(clean) ? `'${clean}` : clean;
};

const cellOf = (value: Value | undefined, format: SheetFormat): string | number | boolean | Date | null => {
  if (value === null || value === undefined) return null;
  if (format === 'time' && typeof value === 'string') return new Date(value);
  return typeof value === 'string' ? safeText(value) : value;
};

/** Counts without decimals, and what is tiny as such: 0.0000 would say that it is nothing. */
const numberFormatOf = (value: Value | undefined, format: SheetFormat): string => {
  if (format !== 'number' || typeof value !== 'number') return numberFormats[format];
  if (Number.isInteger(value)) return numberFormats.integer;
  return Math.abs(value) < 0.0001 ? '0.0E+00' : numberFormats.number;
};

const isNumber = (format: SheetFormat): boolean => ['integer', 'number', 'share'].includes(format);

const lineHeight = 15;

/** Lines that the longest text of a row takes; some programs do not work the height of a row out by themselves. */
const linesOf = (row: Sheet['rows'][number], { columns }: Sheet): number =>
  Math.max(
    1,
    ...columns.map(({ width, format }, index) => {
      const text = row[index];
      return format === 'text' && typeof text === 'string' ? Math.ceil(text.length / (width - 1)) : 1;
    }),
  );

const columnName = (index: number): string =>
  index < 26
    ? String.fromCharCode(65 + index)
    : columnName(Math.floor(index / 26) - 1) + columnName(index % 26);

const headerRow = 3;

const addSheet = (book: ExcelJS.Workbook, sheet: Sheet, source: WorkbookDocument): void => {
  const page = book.addWorksheet(sheet.name, {
    views: [{ state: 'frozen', xSplit: 1, ySplit: headerRow }],
    // eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment -- A4; the enum exists in the types only
    pageSetup: { paperSize: 9, orientation: 'landscape', fitToPage: true, fitToWidth: 1, fitToHeight: 0 },
    headerFooter: {
      oddFooter: `&L${source.reportId}  sha256 ${source.dataSha256.slice(0, 16)}&RPage &P of &N`,
    },
  });
  page.pageSetup.printTitlesRow = `${String(headerRow)}:${String(headerRow)}`;
  page.columns = sheet.columns.map(({ width }) => ({ width }));
  page.getCell('A1').value = sheet.name;
  page.getCell('A1').font = { bold: true, size: 14 };
  page.getCell('A2').value = safeText(sheet.about);
  page.getCell('A2').font = { color: { argb: 'FF57606A' } };
  const header = page.getRow(headerRow);
  sheet.columns.forEach(({ title, format }, index) => {
    header.getCell(index + 1).value = format === 'time' ? `${title} (UTC)` : title;
    header.getCell(index + 1).alignment = { horizontal: isNumber(format) ? 'right' : 'left', wrapText: true };
  });
  header.font = { bold: true };
  header.fill = { type: 'pattern', pattern: 'solid', fgColor: { argb: 'FFF3F5F7' } };
  for (const row of sheet.rows) {
    const added = page.addRow(sheet.columns.map(({ format }, index) => cellOf(row[index], format)));
    sheet.columns.forEach(({ format }, index) => {
      added.getCell(index + 1).numFmt = numberFormatOf(row[index], format);
      added.getCell(index + 1).alignment = { vertical: 'top', wrapText: format === 'text' };
    });
    const lines = linesOf(row, sheet);
    if (lines > 1) added.height = Math.min(400, lines * lineHeight);
  }
  const last = headerRow + sheet.rows.length;
  page.autoFilter = `A${String(headerRow)}:${columnName(sheet.columns.length - 1)}${String(last)}`;
};

const readme = (source: WorkbookDocument): Sheet => ({
  name: 'README',
  about: 'What this workbook is, and how it can be checked',
  columns: [
    { title: 'About', width: 28, format: 'text' },
    { title: 'Value', width: 100, format: 'text' },
  ],
  rows: [
    ['Title', source.title],
    ['Report', source.reportId],
    ['Data as of', `${source.cutOff} (UTC)`],
    ['sha256 of the data', source.dataSha256],
    [
      'How to check',
      'Download the data of this report (the same address with .json) and compute the sha256 over its bytes: they are in canonical form (RFC 8785). Every figure of the workbook and of the PDF stands in it.',
    ],
    ['Times', 'All times are UTC and are real dates.'],
    [
      'Empty cells',
      'An empty cell is a value that is not known or is suppressed; the column Reason says why.',
    ],
    [
      'Text',
      'A text that begins like a formula has an apostrophe before it, so that no program takes it for one.',
    ],
    ...source.sheets.map(({ name, about, rows }): Value[] => [
      `Sheet ${name}`,
      `${about} (${String(rows.length)} rows)`,
    ]),
  ],
});

/** `report.xlsx`: one sheet per table, one fact per row. */
export const renderWorkbook = async (source: WorkbookDocument): Promise<Uint8Array> => {
  const book = new ExcelJS.Workbook();
  book.creator = 'Countersign';
  book.title = source.title;
  book.created = new Date(source.cutOff);
  book.modified = new Date(source.cutOff);
  for (const sheet of [readme(source), ...source.sheets]) addSheet(book, sheet, source);
  return new Uint8Array(await book.xlsx.writeBuffer());
};
