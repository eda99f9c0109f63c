import { createGunzip } from 'node:zlib';
import { pipeline, Readable } from 'node:stream';
import { AppError } from '../../kernel/errors.js';

/** One line of a table, with its number in the file (the header is line 1). */
export interface CsvRow {
  readonly line: number;
  readonly cells: readonly string[];
}

const longestLine = 1_000_000;
const quote = '"';

/** Unpacks a stream whose name ends in `.gz`; an error on either side ends both and reaches the reader. */
const unpacked = (bytes: AsyncIterable<Uint8Array>, path: string): AsyncIterable<Uint8Array> =>
  path.endsWith('.gz') ? pipeline(Readable.from(bytes), createGunzip(), () => undefined) : bytes;

/**
 * Streams the rows of a CSV file (RFC 4180: commas, quoted cells, doubled quotes), the header first. Memory holds
 * one chunk and one line, whatever the size of the file. Refuses a line of another width than the header.
 */
export async function* csvRows(bytes: AsyncIterable<Uint8Array>, path: string): AsyncGenerator<CsvRow> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let rest = '';
  let line = 0;
  let width: number | null = null;
  const take = (text: string): CsvRow | null => {
    line += 1;
    const cells = cellsOf(text.endsWith('\r') ? text.slice(0, -1) : text);
    if (cells.length === 1 && cells[0] === '') return null;
    width ??= cells.length;
    if (cells.length !== width)
      throw unreadable(line, `has ${String(cells.length)} cells, the header has ${String(width)}`);
    return { line, cells };
  };
  try {
    for await (const chunk of unpacked(bytes, path)) {
      rest += decoder.decode(chunk, { stream: true });
      const { records, left } = split(rest);
      if (left.length > longestLine) throw unreadable(line + 1, 'never ends');
      rest = left;
      for (const record of records) {
        const row = take(record);
        if (row) yield row;
      }
    }
    const last = take(rest + decoder.decode());
    if (last) yield last;
  } catch (error) {
    throw isDataError(error)
      ? new AppError('INVALID_INPUT', `${path} is damaged or is not UTF-8 text`, { rule: 'dataset' })
      : error;
  }
}

const unreadable = (line: number, what: string): AppError =>
  new AppError('INVALID_INPUT', `Line ${String(line)} of the data set ${what}`, { rule: 'dataset', line });

/** zlib and the decoder tell of damaged content with a code of their own. */
const isDataError = (error: unknown): boolean =>
  error instanceof Error &&
  'code' in error &&
  typeof error.code === 'string' &&
  (error.code.startsWith('Z_') || error.code === 'ERR_ENCODING_INVALID_ENCODED_DATA');

/** Whole records at the front of a text; a line end inside of quotes ends none. */
const split = (text: string): { records: string[]; left: string } => {
  const records: string[] = [];
  let start = 0;
  let inQuotes = false;
  for (let index = 0; index < text.length; index += 1) {
    const sign = text[index];
    if (sign === quote) inQuotes = !inQuotes;
    if (sign !== '\n' || inQuotes) continue;
    records.push(text.slice(start, index));
    start = index + 1;
  }
  return { records, left: text.slice(start) };
};

const cellsOf = (record: string): string[] => {
  if (!record.includes(quote)) return record.split(',');
  const cells: string[] = [];
  let cell = '';
  let inQuotes = false;
  for (let index = 0; index < record.length; index += 1) {
    const sign = record[index];
    if (sign === quote && inQuotes && record[index + 1] === quote) {
      cell += quote;
      index += 1;
    } else if (sign === quote) inQuotes = !inQuotes;
    else if (sign === ',' && !inQuotes) {
      cells.push(cell);
      cell = '';
    } else cell += sign ?? '';
  }
  return [...cells, cell];
};
