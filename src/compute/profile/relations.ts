import type { DataTable } from '../table/engine.js';
import { quoted } from '../table/names.js';
import { shownText, type Counted, type First } from './figures.js';
import { hideSmall } from './hide.js';
import type { DataProfile } from './report.js';

const mostCorrelated = 30;

/** How numeric columns go together, the strongest first; constant columns go with nothing. */
export const correlationsOf = async (
  table: DataTable,
  columns: readonly First[],
): Promise<DataProfile['correlations']> => {
  const some = columns
    .filter(({ kind, distinct }) => kind === 'NUMERIC' && distinct > 1)
    .slice(0, mostCorrelated)
    .map(({ column }) => column.name);
  const pairs = some.flatMap((left, index) => some.slice(index + 1).map((right) => ({ left, right })));
  if (pairs.length === 0) return [];
  const finite = (name: string): string => `isfinite(${quoted(name)}::double)`;
  const asked = pairs.map(
    ({ left, right }) =>
      `corr(${quoted(left)}::double, ${quoted(right)}::double) filter (${finite(left)} and ${finite(right)})`,
  );
  const cells = await table.row(`select ${asked.join(', ')} from data`);
  return pairs
    .map(({ left, right }, index) => ({
      left: shownText(left, 300),
      right: shownText(right, 300),
      value: Math.min(1, Math.max(-1, Number(cells[index] ?? NaN))),
    }))
    .filter(({ value }) => Number.isFinite(value))
    .toSorted((one, other) => Math.abs(other.value) - Math.abs(one.value));
};

const mostExact = 5_000_000;

/** Rows that stand there more than once, counted by the hash of the whole row. */
export const duplicatesOf = async (table: DataTable, rows: number): Promise<DataProfile['duplicates']> => {
  const exact = rows <= mostExact;
  const what = exact ? 'count(distinct hash(d))' : 'approx_count_distinct(hash(d))';
  const [different] = await table.row(`select ${what} from data d`);
  return { rows: Math.max(0, rows - Number(different ?? rows)), exact };
};

type Groups = DataProfile['groups'][number];

const mostGroups = 200;

/** The groups of a column: its values, or ranges where it has many numbers. */
const countedGroups = (
  { kind, distinct }: First,
  counts: Counted,
  histogram: readonly { from: number; to: number }[],
): Counted | null => {
  if (kind === 'CATEGORICAL') return distinct > mostGroups ? null : counts;
  if (kind !== 'NUMERIC') return null;
  return histogram.map(({ from, to }, index) => ({
    value: `${String(Math.round(from * 100) / 100)} to ${String(Math.round(to * 100) / 100)}`,
    count: counts[index]?.count ?? 0,
  }));
};

/** How large the groups of a protected attribute are; small ones are hidden, and so is what would give them away. */
export const groupsOf = (
  rows: number,
  first: First,
  counts: Counted,
  histogram: readonly { from: number; to: number }[],
): Groups => {
  const attribute = shownText(first.column.name, 300);
  const counted = countedGroups(first, counts, histogram);
  if (counted === null) return { attribute, groups: [], hidden: 0 };
  const missing = rows - first.present;
  const all = missing === 0 ? counted : [...counted, { value: '(missing)', count: missing }];
  const shown = hideSmall(all.map(({ count }) => count));
  const groups = all
    .slice(0, mostGroups + 1)
    .map(({ value }, index) => ({ group: value, size: shown[index] ?? null }));
  return { attribute, groups, hidden: shown.filter((size) => size === null).length };
};
