import type { Block, TextCell, TextColumn } from '../document.js';
import {
  colours,
  heightOf,
  page,
  setText,
  tagged,
  textWidth,
  turnPage,
  unread,
  widthOf,
  type Paper,
  type Setting,
} from './paper.js';

type Table = Extract<Block, { kind: 'table' }>;

const pad = 4;
const size = 7.8;
const longestCell = 700;

interface Placed extends TextColumn {
  readonly x: number;
  readonly width: number;
}

const place = (columns: readonly TextColumn[]): Placed[] => {
  const total = columns.reduce((sum, { weight }) => sum + weight, 0);
  let x: number = page.left;
  return columns.map((column) => {
    const width = (textWidth * column.weight) / total;
    const placed = { ...column, x, width };
    x += width;
    return placed;
  });
};

const signs = { good: '✓ ', bad: '✗ ', open: '○ ' } as const;

const equalPieces = (text: string, parts: number): string[] => {
  const length = Math.ceil(text.length / parts);
  return Array.from({ length: parts }, (_, index) => text.slice(index * length, (index + 1) * length));
};

/**
 * A digest or id that is too long for its column is broken into pieces of one length: left to itself, the last line
 * would hold a sign or two, and two digests below each other could not be compared.
 */
const brokenEvenly = (paper: Paper, text: string, setting: Setting): string => {
  if (!/^[0-9a-f-]{20,}$/.test(text)) return text;
  const words = text.split('-').length > 1 ? uuidPieces(text) : null;
  for (let parts = 1; parts <= 8; parts += 1) {
    const pieces = words?.[parts - 1] ?? equalPieces(text, parts);
    // PDFKit gives the end of a line a width too, and breaks before it where that does not fit.
    if (pieces.every((piece) => widthOf(paper, `${piece}\n`, setting) <= setting.width))
      return pieces.join('\n');
  }
  return text;
};

/** An id breaks at its hyphens: not at all, in the middle, or into three. */
const uuidPieces = (text: string): string[][] => {
  const [a = '', b = '', c = '', d = '', e = ''] = text.split('-');
  return [[text], [`${a}-${b}-${c}-`, `${d}-${e}`], [`${a}-${b}-`, `${c}-${d}-`, e]];
};

/** The whole text stands in the workbook; a row must fit on a page. */
const shown = (paper: Paper, { text, tone }: TextCell, setting: Setting): string => {
  const short =
    text.length > longestCell ? `${text.slice(0, longestCell)}… (whole text in the workbook)` : text;
  return tone === undefined ? brokenEvenly(paper, short, setting) : `${signs[tone]}${short}`;
};

const cellSetting = (column: Placed, isHeader: boolean, tone?: TextCell['tone']): Setting => ({
  face: isHeader || tone !== undefined ? 'bold' : 'regular',
  size,
  width: column.width - 2 * pad,
  colour: tone === undefined ? colours.text : colours[tone],
  align: column.align,
});

const rowHeight = (
  paper: Paper,
  columns: readonly Placed[],
  cells: readonly TextCell[],
  isHeader: boolean,
): number =>
  Math.max(
    ...columns.map((column, index) => {
      const cell = cells[index] ?? { text: '' };
      const setting = cellSetting(column, isHeader, cell.tone);
      return heightOf(paper, shown(paper, cell, setting), setting);
    }),
  ) +
  2 * pad;

const headerCells = (columns: readonly Placed[]): TextCell[] => columns.map(({ title }) => ({ text: title }));

/** Height of the header and the first row: they stay together. */
export const tableStart = (paper: Paper, { columns, rows }: Table): number => {
  const placed = place(columns);
  const first = rows[0];
  return (
    rowHeight(paper, placed, headerCells(placed), true) + (first ? rowHeight(paper, placed, first, false) : 0)
  );
};

const drawRule = ({ doc }: Paper, y: number, width: number): void => {
  doc.moveTo(page.left, y).lineTo(page.right, y).lineWidth(width).strokeColor(colours.line).stroke();
};

const drawHeaderBand = ({ doc }: Paper, y: number, height: number): void => {
  doc.rect(page.left, y, textWidth, height).fillColor(colours.band).fill();
};

const drawHeader = (
  paper: Paper,
  columns: readonly Placed[],
  table: PDFKit.PDFStructureElement | null,
): void => {
  const cells = headerCells(columns);
  const height = rowHeight(paper, columns, cells, true);
  const { y } = paper.doc;
  unread(paper, () => {
    drawHeaderBand(paper, y, height);
  });
  const draw = (column: Placed, text: string) => (): void => {
    setText(paper, text, column.x + pad, y + pad, cellSetting(column, true));
  };
  if (table === null) {
    // Repeated on a later page: read out once is enough.
    unread(
      paper,
      () => {
        for (const column of columns) draw(column, column.title)();
      },
      'Pagination',
    );
  } else {
    const row = paper.doc.struct('TR');
    table.add(row);
    for (const column of columns) tagged(paper, row, 'TH', draw(column, column.title));
    row.end();
  }
  paper.doc.y = y + height;
};

const drawRow = (
  paper: Paper,
  columns: readonly Placed[],
  cells: readonly TextCell[],
  table: PDFKit.PDFStructureElement,
): void => {
  const height = rowHeight(paper, columns, cells, false);
  if (paper.doc.y + height > page.bottom) {
    turnPage(paper);
    drawHeader(paper, columns, null);
  }
  const { y } = paper.doc;
  const row = paper.doc.struct('TR');
  table.add(row);
  columns.forEach((column, index) => {
    const cell = cells[index] ?? { text: '' };
    const setting = cellSetting(column, false, cell.tone);
    tagged(paper, row, 'TD', () => {
      setText(paper, shown(paper, cell, setting), column.x + pad, y + pad, setting);
    });
  });
  row.end();
  unread(paper, () => {
    drawRule(paper, y + height, 0.5);
  });
  paper.doc.y = y + height;
};

/** Draws a table over as many pages as it needs; the header stands on each. */
export const drawTable = (
  paper: Paper,
  section: PDFKit.PDFStructureElement,
  { columns, rows }: Table,
): void => {
  const placed = place(columns);
  const table = paper.doc.struct('Table');
  section.add(table);
  drawHeader(paper, placed, table);
  for (const cells of rows) drawRow(paper, placed, cells, table);
  table.end();
  paper.doc.y += 10;
};
