import type { TextCell } from '../../../compute/report/index.js';
import { shownTime, type Cell, type DataRow } from '../report-data.js';
import type { Column, ColumnFormat } from '../template.js';

const digits = (value: number): string => {
  if (Number.isInteger(value)) return value.toLocaleString('en-US');
  return Math.abs(value) >= 0.0001 ? value.toFixed(4) : value.toExponential(1);
};

/** A share in words: `54.3 %`. */
export const percent = (value: number): string => `${(100 * value).toFixed(1)} %`;

const numberText = (value: Cell, write: (value: number) => string): string =>
  typeof value === 'number' ? write(value) : value === null ? '–' : String(value);

const verdictTones: Readonly<Record<string, TextCell['tone']>> = {
  PASS: 'good',
  APPROVE: 'good',
  EXECUTED: 'good',
  RESOLVED: 'good',
  FAIL: 'bad',
  REJECT: 'bad',
  REJECTED: 'bad',
  MISSING: 'open',
  STALE: 'open',
  OPEN: 'open',
  REQUEST_CHANGES: 'open',
};

/** Value with its interval, in one unit. */
export const intervalText = (row: DataRow, write: (value: number) => string = digits): string => {
  const { value, low, high } = row;
  if (typeof value !== 'number') return typeof row['reason'] === 'string' ? row['reason'] : '–';
  if (typeof low !== 'number' || typeof high !== 'number') return write(value);
  return `${write(value)} [${write(low)}, ${write(high)}]`;
};

const textOf = (value: Cell): string => (value === null || value === '' ? '–' : String(value));

const timeText = (value: Cell): string => (typeof value === 'string' ? shownTime(value) : '–');

const writers: Readonly<Record<ColumnFormat, (value: Cell, row: DataRow) => TextCell>> = {
  text: (value) => ({ text: textOf(value) }),
  hash: (value) => ({ text: textOf(value) }),
  words: (value) => ({ text: textOf(value).toLowerCase().replaceAll('_', ' ') }),
  integer: (value) => ({ text: numberText(value, (number) => Math.round(number).toLocaleString('en-US')) }),
  number: (value) => ({ text: numberText(value, digits) }),
  share: (value) => ({ text: numberText(value, percent) }),
  interval: (_, row) => ({ text: intervalText(row) }),
  time: (value) => ({ text: timeText(value) }),
  verdict: (value) => ({ text: textOf(value), tone: verdictTones[textOf(value)] }),
  yes: (value) => ({ text: value === true ? 'yes' : 'no' }),
};

/** A field as it is written on paper. */
export const paperCell = (row: DataRow, { field, format }: Column): TextCell => writers[format](row[field] ?? null, row);

/** Whether a column is read from the right. */
export const isNumeric = ({ format }: Column): boolean => ['integer', 'number', 'share', 'interval'].includes(format);

/** Puts the values of the data into a text: `{period}`. */
export const filled = (text: string, values: Readonly<Record<string, string>>): string =>
  text.replace(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole);

/** Rows whose fields have these values. */
export const rowsWhere = (
  rows: readonly DataRow[],
  where: Readonly<Record<string, string>>,
  values: Readonly<Record<string, string>>,
): DataRow[] => rows.filter((row) => Object.entries(where).every(([field, wanted]) => row[field] === filled(wanted, values)));
