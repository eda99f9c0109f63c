import { DuckDBDoubleVector, DuckDBIntegerVector, type DuckDBDataChunk } from '@duckdb/node-api';
import type { DriftFeature } from '../../kernel/drift-baseline.js';
import { literal, quoted } from '../table/names.js';

/** The column as a number; NaN where there is none, or none that is a number. */
export const asNumber = (name: string): string =>
  `coalesce(try_cast(${quoted(name)} as double), 'nan'::double)`;

/** The place of a name in a list, its length for any other, -1 where there is none. */
export const asCode = (name: string, names: readonly string[]): string => {
  const other = String(names.length);
  if (names.length === 0) return `case when ${quoted(name)} is null then -1 else 0 end::integer`;
  const list = names.map(literal).join(', ');
  const code = `enum_code(try_cast(${quoted(name)}::varchar as enum(${list})))::integer`;
  return `case when ${quoted(name)} is null then -1 else coalesce(${code}, ${other}) end::integer`;
};

/** The numbers of a column that was asked for with {@link asNumber}. */
export const numbersOf = (chunk: DuckDBDataChunk, column: number): Float64Array => {
  const vector = chunk.getColumnVector(column);
  if (!(vector instanceof DuckDBDoubleVector))
    throw new Error('The engine gave another type than was asked for');
  return viewOf(vector).subarray(0, chunk.rowCount);
};

/** The codes of a column that was asked for with {@link asCode}. */
export const codesOf = (chunk: DuckDBDataChunk, column: number): Int32Array => {
  const vector = chunk.getColumnVector(column);
  if (!(vector instanceof DuckDBIntegerVector))
    throw new Error('The engine gave another type than was asked for');
  return codesViewOf(vector).subarray(0, chunk.rowCount);
};

// The values are public in JavaScript and private in its types.
const viewOf = (vector: DuckDBDoubleVector): Float64Array => {
  const { items } = vector as unknown as { items: unknown };
  if (items instanceof Float64Array) return items;
  throw new Error('The engine no longer shows the values of a vector');
};
const codesViewOf = (vector: DuckDBIntegerVector): Int32Array => {
  const { items } = vector as unknown as { items: unknown };
  if (items instanceof Int32Array) return items;
  throw new Error('The engine no longer shows the values of a vector');
};

/** A feature as text of a query, to look at its values. */
export const asSeen = ({ name, kind }: DriftFeature): string =>
  kind === 'NUMERIC' ? asNumber(name) : `${quoted(name)}::varchar`;
