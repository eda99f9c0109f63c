import type { EnsembleManifest } from '../../kernel/ensemble-manifest.js';
import { AppError } from '../../kernel/errors.js';
import type { CsvRow } from './csv.js';

const fault = (line: number, column: string, what: string): AppError =>
  new AppError('INVALID_INPUT', `Line ${String(line)} of the data set: ${column} ${what}`, {
    rule: 'dataset',
    line,
    column,
  });

const columnOf = (header: readonly string[], name: string): number => {
  const place = header.indexOf(name);
  if (place >= 0) return place;
  throw new AppError(
    'INVALID_INPUT',
    `The data set has no column ${name}; add it, or choose another data set`,
    {
      rule: 'dataset',
      column: name,
    },
  );
};

/**
 * Reads the inputs of a row in the order of the manifest: a number stands for itself, a category for its place in the
 * manifest's list. Refuses what is neither, naming line and column and never the value.
 */
export const inputReader = (
  manifest: EnsembleManifest,
  header: readonly string[],
): ((row: CsvRow) => Float32Array) => {
  const readers = manifest.inputs.map((input) => {
    const place = columnOf(header, input.name);
    if (input.kind === 'numeric') {
      return (row: CsvRow): number => {
        const cell = (row.cells[place] ?? '').trim();
        const value = Number(cell);
        if (cell !== '' && Number.isFinite(value)) return value;
        throw fault(row.line, input.name, 'is not a number');
      };
    }
    const codes = new Map(input.categories.map((category, code) => [category, code]));
    return (row: CsvRow): number => {
      const code = codes.get(row.cells[place] ?? '');
      if (code !== undefined) return code;
      throw fault(row.line, input.name, 'is not one of the categories of the manifest');
    };
  });
  return (row) => Float32Array.from(readers, (read) => read(row));
};

/** Reads the outcome of a row: 1 or 0, or the name of the positive class and any other name. */
export const labelReader = (
  manifest: EnsembleManifest,
  header: readonly string[],
): ((row: CsvRow) => number) => {
  const { name, positive } = manifest.target;
  const place = columnOf(header, name);
  return (row) => {
    const cell = (row.cells[place] ?? '').trim();
    if (cell === '1' || cell === positive) return 1;
    if (cell === '') throw fault(row.line, name, 'is empty: a row without its outcome cannot be measured');
    if (cell === '0' || Number.isNaN(Number(cell))) return 0;
    throw fault(row.line, name, `is neither 0, 1 nor ${positive}`);
  };
};
