import type { DataExpectation, ExpectationResult, QualityReport } from '../../kernel/data-expectations.js';
import { cellsPerExpectation, columnsOf, type Compiled } from './compile.js';

type Verdict = ExpectationResult['verdict'];

const counted = (cell: unknown): number | null => {
  const value = cell === null || cell === undefined ? Number.NaN : Number(cell);
  return Number.isFinite(value) && value >= 0 ? Math.round(value) : null;
};

const measured = (cell: unknown): number | null => {
  const value = cell === null || cell === undefined ? Number.NaN : Number(cell);
  return Number.isFinite(value) ? value : null;
};

const rowsOf = (cell: unknown): number[] =>
  Array.isArray(cell) ? cell.flatMap((one: unknown) => counted(one) ?? []).toSorted((a, b) => a - b) : [];

const within = (
  value: number,
  { atLeast, atMost }: { atLeast?: number | null | undefined; atMost?: number | null | undefined },
): boolean =>
  (typeof atLeast !== 'number' || value >= atLeast) && (typeof atMost !== 'number' || value <= atMost);

const passes = (holds: boolean): Verdict => (holds ? 'PASS' : 'FAIL');

interface Cells {
  readonly considered: number | null;
  readonly failing: number | null;
  readonly rows: number[];
  readonly observed: number | null;
}

type Judged = Pick<ExpectationResult, 'verdict' | 'observed' | 'reason'>;

const unknown = (reason: string): Judged => ({ verdict: 'UNKNOWN', observed: null, reason });

const wantedShare = (expectation: DataExpectation): number =>
  'share' in expectation ? expectation.share : 1;

/** Expectations that are kept by a share of the values. */
const judgeShare = (expectation: DataExpectation, { considered, failing }: Cells): Judged => {
  if (considered === null || failing === null) return unknown('The database gave no count.');
  if (considered === 0) return unknown('There are no values to judge.');
  const observed = 1 - failing / considered;
  return { verdict: passes(observed >= wantedShare(expectation)), observed, reason: null };
};

const judgeOne = (expectation: DataExpectation, cells: Cells, total: number, now: Date): Judged => {
  switch (expectation.kind) {
    case 'COLUMN':
      return { verdict: 'PASS', observed: null, reason: null };
    case 'ROWS':
      return { verdict: passes(within(total, expectation)), observed: total, reason: null };
    case 'FRESH': {
      if (cells.observed === null) return unknown('No value of the column reads as a time.');
      const age = (now.getTime() / 1000 - cells.observed) / 3600;
      return { verdict: passes(age <= expectation.maxAgeHours), observed: age, reason: null };
    }
    case 'MEAN':
    case 'QUANTILE':
      if (cells.observed === null) return unknown('The column has no finite number.');
      return {
        verdict: passes(within(cells.observed, expectation)),
        observed: cells.observed,
        reason: null,
      };
    default:
      return judgeShare(expectation, cells);
  }
};

const named = (expectation: DataExpectation): Pick<ExpectationResult, 'kind' | 'column'> => ({
  kind: expectation.kind,
  column: 'column' in expectation ? expectation.column : null,
});

/** FAIL before UNKNOWN before PASS: what cannot be judged is never taken for good. */
const overall = (results: readonly ExpectationResult[]): Verdict => {
  const verdicts = new Set(results.map(({ verdict }) => verdict));
  if (verdicts.has('FAIL')) return 'FAIL';
  return verdicts.has('UNKNOWN') ? 'UNKNOWN' : 'PASS';
};

/** Turns the one row of the answer into a verdict per expectation. */
export const judge = (
  expectations: readonly DataExpectation[],
  { asked }: Compiled,
  row: readonly unknown[],
  { now, engine, columns }: { now: Date; engine: string; columns: ReadonlySet<string> },
): QualityReport => {
  const total = counted(row[0]) ?? 0;
  const results = expectations.map((expectation, place): ExpectationResult => {
    const at = asked.indexOf(place);
    const empty = { considered: null, failing: null, rows: [], observed: null };
    if (at < 0) {
      const missing = columnsOf(expectation).find((name) => !columns.has(name)) ?? '';
      const reason = `The data have no column ${missing}.`;
      return { ...named(expectation), ...empty, verdict: 'FAIL', reason };
    }
    const start = 1 + at * cellsPerExpectation;
    const [considered, failing, rows, observed] = row.slice(start, start + cellsPerExpectation);
    const cells: Cells = {
      considered: counted(considered),
      failing: counted(failing),
      rows: rowsOf(rows),
      observed: measured(observed),
    };
    return { ...named(expectation), ...cells, ...judgeOne(expectation, cells, total, now) };
  });
  return { rows: total, verdict: overall(results), results, engine };
};
