import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { columnDrift } from '../../analysis/index.js';
import { driftBaseline } from '../../kernel/drift-baseline.js';
import { openTable } from '../table/engine.js';
import { countOnBins } from './count.js';
import { freezeColumns } from './freeze.js';

const hostile = `x"; drop view data; --' \\`;
const name = `"${hostile.replaceAll('"', '""')}"`;
const features = [
  { name: 'n', kind: 'NUMERIC' },
  { name: hostile, kind: 'CATEGORICAL' },
] as const;

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'countersign-drift-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const parquet = async (file: string, rows: number, select: string): Promise<string> => {
  const path = join(folder, file);
  const connection = await (await DuckDBInstance.create(':memory:')).connect();
  await connection.run(`copy (select ${select} from range(${String(rows)})) to '${path}' (format parquet)`);
  return path;
};

test('a Parquet file is frozen and another is counted on it, missing, new and infinite values included', async () => {
  const before = await parquet(
    'a.parquet',
    60_000,
    `range::double as n, case range % 3 when 0 then 'it''s' when 1 then '' else 'c' end as ${name}`,
  );
  const columns = await freezeColumns(await openTable(before), features, {
    rows: 60_000,
    bins: 10,
    names: 2,
  });

  expect(driftBaseline.shape.columns.safeParse(columns).success).toBe(true);
  const [numeric, named] = columns;
  expect(numeric?.counts).toMatchObject({ missing: 0, low: 0, high: 59_999 });
  expect(numeric?.counts.bins.reduce((sum, count) => sum + count)).toBe(60_000);
  // Edges are of a sample: a tenth each, give or take one in a hundred rows.
  for (const count of numeric?.counts.bins.slice(1, -1) ?? [])
    expect(Math.abs(count - 6000)).toBeLessThan(600);
  expect(named?.counts.bins).toEqual([20_000, 20_000, 20_000]);

  const now = await parquet(
    'b.parquet',
    1000,
    `case range when 0 then null when 1 then 'nan'::double when 2 then 'inf'::double else range end as n,
     case when range < 500 then null else 'new' end as ${name}`,
  );
  const window = await countOnBins(await openTable(now), columns);
  expect(window[0]?.counts).toMatchObject({ missing: 2, infinite: 1, low: 3, high: 999 });
  expect(window[1]?.counts).toMatchObject({ missing: 500, bins: [0, 0, 500] });
  const drifts = columns.map(({ bins, counts }, place) =>
    columnDrift(bins, counts, window[place]?.counts ?? counts),
  );
  expect(drifts.every(({ psi }) => psi.value !== null && psi.value > 1)).toBe(true);
});

test('the same file gives the same baseline, from CSV as from Parquet', async () => {
  const lines = Array.from(
    { length: 30_000 },
    (_, row) => `${String((row * 7919) % 30_000)},k${String(row % 5)}`,
  );
  const path = join(folder, 'a.csv');
  await writeFile(path, `n,"${hostile.replaceAll('"', '""')}"\n${lines.join('\n')}\n`);
  const options = { rows: 30_000, bins: 20, names: 10 };
  const freeze = async (file: string) =>
    freezeColumns(await openTable(file, { text: true }), features, options);
  const packed = await parquet(
    'c.parquet',
    30_000,
    `(range * 7919) % 30000 as n, 'k' || (range % 5) as ${name}`,
  );

  const [one, again, other] = [await freeze(path), await freeze(path), await freeze(packed)];
  expect(again).toEqual(one);
  expect(other).toEqual(one);
});

test('a column without a number is no numeric baseline', async () => {
  const path = join(folder, 'words.csv');
  await writeFile(path, 'n\nold\nyoung\n');
  const table = await openTable(path, { text: true });
  const options = { rows: 2, bins: 10, names: 10 };
  await expect(freezeColumns(table, [{ name: 'n', kind: 'NUMERIC' }], options)).rejects.toThrow(
    'holds no number',
  );
});
