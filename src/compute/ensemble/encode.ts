import type { EnsembleInput, EnsembleManifest } from '../../kernel/ensemble-manifest.js';
import { invalidInput } from '../../kernel/errors.js';

/**
 * Rows as they travel: row-major, one value per input of the manifest. A number stands for itself, a category for its
 * place in the manifest's list.
 */
export interface InputRows {
  readonly rows: number;
  readonly values: Float32Array;
}

const categoryOf = (input: EnsembleInput, value: number, row: number): number => {
  const count = input.kind === 'categorical' ? input.categories.length : 0;
  if (Number.isInteger(value) && value >= 0 && value < count) return value;
  throw invalidInput(`Row ${String(row)}: ${input.name} has no category ${String(value)}`, [
    { path: input.name, message: 'names no category of the manifest' },
  ]);
};

/** The matrix that the members read: numbers in their column, categories one-hot. */
export const encodeRows = (manifest: EnsembleManifest, { rows, values }: InputRows): Float32Array => {
  const width = manifest.inputs.length;
  if (values.length !== rows * width) {
    throw invalidInput(`${String(rows)} rows of ${String(width)} inputs need ${String(rows * width)} values`);
  }
  const matrix = new Float32Array(rows * manifest.encodedWidth);
  for (let row = 0; row < rows; row += 1) {
    manifest.inputs.forEach((input, index) => {
      const value = values[row * width + index] ?? Number.NaN;
      const start = row * manifest.encodedWidth + input.columns[0];
      if (input.kind === 'numeric') matrix[start] = value;
      else matrix[start + categoryOf(input, value, row)] = 1;
    });
  }
  return matrix;
};

/** The rows of a CSV with a header that names every input; other columns are passed over. */
export const readCsvRows = (manifest: EnsembleManifest, csv: string): InputRows => {
  const [header = '', ...lines] = csv.trim().split(/\r?\n/);
  const names = header.split(',');
  const width = manifest.inputs.length;
  const values = new Float32Array(lines.length * width);
  lines.forEach((line, row) => {
    const cells = line.split(',');
    manifest.inputs.forEach((input, index) => {
      const cell = cells[names.indexOf(input.name)];
      if (cell === undefined) {
        throw invalidInput(`Line ${String(row + 2)} of the CSV has no ${input.name}`);
      }
      values[row * width + index] = input.kind === 'numeric' ? Number(cell) : input.categories.indexOf(cell);
    });
  });
  return { rows: lines.length, values };
};
