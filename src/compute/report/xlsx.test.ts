import ExcelJS from 'exceljs';
import { expect, test } from 'vitest';
import { renderWorkbook } from './xlsx.js';

const sheetOf = async (
  rows: readonly (readonly (string | number | null)[])[],
): Promise<ExcelJS.Worksheet> => {
  const bytes = await renderWorkbook({
    title: 'A title',
    reportId: 'report',
    dataSha256: 'ab'.repeat(32),
    cutOff: '2026-11-27T12:00:00.000Z',
    sheets: [
      {
        name: 'Sheet',
        about: 'About',
        columns: [
          { title: 'Text', width: 20, format: 'text' },
          { title: 'Value', width: 12, format: 'number' },
        ],
        rows,
      },
    ],
  });
  const book = new ExcelJS.Workbook();
  await book.xlsx.load(new Uint8Array(bytes).buffer);
  const sheet = book.getWorksheet('Sheet');
  if (!sheet) throw new Error('The sheet is missing');
  return sheet;
};

test.each([
  ['a share', 0.854, '0.0000'],
  ['a count among shares', 12_211, '#,##0'],
  ['what is tiny but not nothing', 3.7e-7, '0.0E+00'],
  ['nothing', 0, '#,##0'],
])('%s is written so that it can be read', async (_, value, format) => {
  const sheet = await sheetOf([['a', value]]);

  expect(sheet.getCell('B4').value).toBe(value);
  expect(sheet.getCell('B4').numFmt).toBe(format);
});

test('the header of numbers stands above them, on the right', async () => {
  const sheet = await sheetOf([['a', 1]]);

  expect(sheet.getCell('A3').alignment.horizontal).toBe('left');
  expect(sheet.getCell('B3').alignment.horizontal).toBe('right');
});

test('a row of long text is high enough for it, also where the program does not work that out', async () => {
  const sheet = await sheetOf([
    ['short', 1],
    ['a long text '.repeat(10), 1],
  ]);

  expect(sheet.getRow(4).height).toBeUndefined();
  expect(sheet.getRow(5).height).toBe(7 * 15);
});
