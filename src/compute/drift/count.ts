import { numericCounter, type DriftCounts, type FrozenBins } from '../../analysis/index.js';
import type { DriftWindow } from '../../kernel/drift-baseline.js';
import type { DataTable } from '../table/engine.js';
import { asCode, asNumber, codesOf, numbersOf } from './columns.js';

/** A column of a baseline, without what it counted then. */
export interface CutColumn {
  readonly name: string;
  readonly bins: FrozenBins;
}

interface ColumnCounter {
  readonly add: (chunk: Parameters<typeof numbersOf>[0], column: number) => void;
  readonly counts: () => DriftCounts;
}

/** Counts codes: the places of names, one more for any other, -1 for none. */
const codeCounter = (names: number): ColumnCounter => {
  const bins = new Float64Array(names + 1);
  let missing = 0;
  return {
    add: (chunk, column) => {
      const codes = codesOf(chunk, column);
      for (const code of codes) {
        if (code < 0) missing += 1;
        else bins[code] = (bins[code] ?? 0) + 1;
      }
    },
    counts: () => ({ bins: [...bins], missing, infinite: 0, low: null, high: null }),
  };
};

const counterOf = (bins: FrozenBins): ColumnCounter => {
  if (bins.kind === 'CATEGORICAL') return codeCounter(bins.categories.length);
  const counter = numericCounter(bins);
  return {
    add: (chunk, column) => {
      counter.add(numbersOf(chunk, column));
    },
    counts: counter.counts,
  };
};

/** Columns that are counted in one pass: more of them would hold more of the file at a time. */
const columnsAtOnce = 20;

/**
 * Counts the rows of a table on frozen bins. The engine reads and decodes, some two thousand rows at a time; memory
 * holds those and the counts, whatever the number of rows.
 */
export const countOnBins = async (table: DataTable, columns: readonly CutColumn[]): Promise<DriftWindow> => {
  const window: DriftWindow = [];
  for (let from = 0; from < columns.length; from += columnsAtOnce) {
    const some = columns.slice(from, from + columnsAtOnce);
    const counters = some.map(({ bins }) => counterOf(bins));
    const asked = some.map(({ name, bins }) =>
      bins.kind === 'NUMERIC' ? asNumber(name) : asCode(name, bins.categories),
    );
    for await (const chunk of table.chunks(`select ${asked.join(', ')} from data`)) {
      counters.forEach((counter, column) => {
        counter.add(chunk, column);
      });
    }
    some.forEach(({ name }, column) => {
      const counts = counters[column]?.counts();
      if (counts) window.push({ name, counts: { ...counts, bins: [...counts.bins] } });
    });
  }
  return window;
};
