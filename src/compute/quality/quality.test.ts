import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import {
  dataExpectations,
  type DataExpectation,
  type ExpectationResult,
  type QualityReport,
} from '../../kernel/data-expectations.js';
import { cloneDatabase } from '../../testing/databases.js';
import { checkQuality, qualityLimits } from './index.js';
import { checkTable, type Ask } from './postgres.js';

const now = new Date('2026-11-27T12:00:00Z');
/** Names and values that end a name, a text or a statement early, where they are not quoted. */
const hostile = `x"; drop table data; --' \\`;

let folder = '';
let client: Client;
let database: Awaited<ReturnType<typeof cloneDatabase>>;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'countersign-quality-'));
  database = await cloneDatabase(inject('databaseServer'));
  client = new Client({ connectionString: database.url });
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await database.drop();
  await rm(folder, { recursive: true, force: true });
});

const header = ['id', 'age', 'parent', 'day', 'mail', hostile] as const;
const rows = [
  ['1', '30', '', '2026-11-27 08:00:00+00', 'a@x.org', "it's"],
  ['2', '41.5', '1', '2026-11-26 08:00:00+00', 'b@x.org', hostile],
  ['3', 'old', '1', '2026-11-25', 'c', '-'],
  ['3', '', '9', 'yesterday', 'd@x.org', '-'],
  ['5', '250', '2', '', '', '-'],
] as const;
const cell = (text: string): string => `"${text.replaceAll('"', '""')}"`;
const csv = [header, ...rows].map((line) => line.map(cell).join(',')).join('\n');

const expectations = dataExpectations.parse([
  { kind: 'COLUMN', column: 'id' },
  { kind: 'COLUMN', column: 'gone' },
  { kind: 'TYPE', column: 'age', type: 'NUMBER' },
  { kind: 'TYPE', column: 'age', type: 'INTEGER', share: 0.5 },
  { kind: 'TYPE', column: 'day', type: 'TIMESTAMP', share: 0.75 },
  { kind: 'NOT_NULL', column: 'age', share: 0.8 },
  { kind: 'NOT_NULL', column: 'parent' },
  { kind: 'UNIQUE', column: 'id' },
  { kind: 'UNIQUE', column: 'mail' },
  { kind: 'RANGE', column: 'age', atLeast: 0, atMost: 120 },
  { kind: 'IN_SET', column: hostile, values: ["it's", hostile, '-'] },
  { kind: 'IN_SET', column: hostile, values: ["'); drop table data; --"] },
  { kind: 'REGEX', column: 'mail', pattern: '[a-z]+@x\\.org' },
  { kind: 'REFERS_TO', column: 'parent', to: 'id' },
  { kind: 'ROWS', atLeast: 5, atMost: 5 },
  { kind: 'FRESH', column: 'day', maxAgeHours: 5 },
  { kind: 'FRESH', column: 'mail', maxAgeHours: 5 },
  { kind: 'MEAN', column: 'age', atMost: 100 },
  { kind: 'QUANTILE', column: 'age', p: 0.5, atLeast: 41, atMost: 42 },
  { kind: 'REFERS_TO', column: 'parent', to: 'gone' },
]);

const found: readonly [ExpectationResult['verdict'], number | null, number | null, readonly number[]][] = [
  ['PASS', null, null, []],
  ['FAIL', null, null, []],
  ['FAIL', 0.75, 1, [3]],
  ['PASS', 0.5, 2, [2, 3]],
  ['PASS', 0.75, 1, [4]],
  ['PASS', 0.8, 1, [4]],
  ['FAIL', 0.8, 1, [1]],
  ['FAIL', 0.8, 1, [4]],
  ['PASS', 1, 0, []],
  ['FAIL', 0.5, 2, [3, 5]],
  ['PASS', 1, 0, []],
  ['FAIL', 0, 5, [1, 2, 3, 4, 5]],
  ['FAIL', 0.75, 1, [3]],
  ['FAIL', 0.75, 1, [4]],
  ['PASS', 5, null, []],
  ['PASS', 4, null, []],
  ['UNKNOWN', null, null, []],
  ['FAIL', 321.5 / 3, null, []],
  ['PASS', 41.5, null, []],
  ['FAIL', null, null, []],
];

const expectFound = ({ results, rows: total, verdict }: QualityReport): void => {
  expect(total).toBe(5);
  expect(verdict).toBe('FAIL');
  results.forEach((result, place) => {
    const [wanted, observed, failing, at] = found[place] ?? [];
    expect(result).toMatchObject({ verdict: wanted, failing, rows: at });
    if (typeof observed === 'number') expect(result.observed).toBeCloseTo(observed, 9);
    else expect(result.observed).toBeNull();
  });
};

const checked = async (
  content: string | Uint8Array,
  list: readonly DataExpectation[] = expectations,
): Promise<QualityReport> => {
  const path = join(folder, 'data');
  await writeFile(path, content);
  const answer = await checkQuality(path, { expectations: list, now });
  if (!answer.accepted) throw new Error(answer.reason);
  return answer.report;
};

const ask: Ask = async (text, values = []) =>
  (await client.query<unknown[]>({ text, values: [...values], rowMode: 'array' })).rows;

describe('expectations', () => {
  test('are checked over a CSV file, and no value of it is told', async () => {
    const report = await checked(csv);
    expectFound(report);
    for (const value of ['b@x.org', 'yesterday', '250']) expect(JSON.stringify(report)).not.toContain(value);
    expect(report.results.find(({ kind, verdict }) => kind === 'COLUMN' && verdict === 'FAIL')).toMatchObject(
      {
        reason: 'The data have no column gone.',
      },
    );
  });

  test('find the same in a table of PostgreSQL, by its own SQL, in a transaction that reads only', async () => {
    const name = `t"${hostile}`.slice(0, 40);
    const quotedName = `"${name.replaceAll('"', '""')}"`;
    const columns = header.map((one) => `"${one.replaceAll('"', '""')}" text`).join(', ');
    await client.query(`create table ${quotedName} (${columns})`);
    for (const row of rows) {
      const values = row.map((value) => (value === '' ? null : value));
      await client.query(`insert into ${quotedName} values ($1, $2, $3, $4, $5, $6)`, values);
    }
    await client.query(`set timezone = 'UTC'; begin transaction read only`);
    const request = { schema: 'public', table: name, expectations, now, timeoutMs: 5000 };
    const report = await checkTable(ask, request);
    const missing = await checkTable(ask, { ...request, table: 'nowhere' });
    await client.query('commit');

    if (!report) throw new Error('No report');
    expectFound(report);
    expect(report.engine).toContain('postgresql');
    expect(missing).toBeNull();
  });

  test('are checked over the types of Parquet, where NaN and infinity are out of every range', async () => {
    const path = join(folder, 'data.parquet');
    const connection = await (await DuckDBInstance.create(':memory:')).connect();
    await connection.run(
      `copy (select range::integer as n, case range when 3 then 'nan'::double when 4 then 'inf'::double else range end as x,
             date '2026-11-27' as day from range(10)) to '${path}' (format parquet)`,
    );
    const list = dataExpectations.parse([
      { kind: 'RANGE', column: 'x', atLeast: 0 },
      { kind: 'TYPE', column: 'n', type: 'INTEGER' },
      { kind: 'MEAN', column: 'x', atLeast: 4.7, atMost: 4.8 },
      { kind: 'UNIQUE', column: 'n' },
      { kind: 'FRESH', column: 'day', maxAgeHours: 24 },
    ]);
    const answer = await checkQuality(path, { expectations: list, now });
    expect(answer).toMatchObject({
      accepted: true,
      report: {
        results: [
          { verdict: 'FAIL', failing: 2, rows: [4, 5] },
          { verdict: 'PASS' },
          { verdict: 'PASS', considered: 8 },
          { verdict: 'PASS' },
          { verdict: 'PASS', observed: 12 },
        ],
      },
    });
  });

  test('a table without rows passes nothing by chance', async () => {
    const { results, verdict } = await checked(
      'a,b\n',
      dataExpectations.parse([
        { kind: 'NOT_NULL', column: 'a' },
        { kind: 'MEAN', column: 'a', atMost: 1 },
        { kind: 'ROWS', atMost: 10 },
      ]),
    );
    expect(results.map((one) => one.verdict)).toEqual(['UNKNOWN', 'UNKNOWN', 'PASS']);
    expect(verdict).toBe('UNKNOWN');
  });

  test.each([
    ['no limit', { kind: 'RANGE', column: 'a' }],
    ['an unknown kind', { kind: 'SQL', column: 'a' }],
    ['the sign NUL', { kind: 'COLUMN', column: 'a\u0000' }],
    ['a share of two', { kind: 'NOT_NULL', column: 'a', share: 2 }],
    ['more than there is', { kind: 'COLUMN', column: 'a', sql: '1=1' }],
  ])('%s is refused before any SQL is made', (_, one) => {
    expect(dataExpectations.safeParse([one]).success).toBe(false);
  });

  test('a file that cannot be read, or takes too long, is refused in a sentence', async () => {
    const path = join(folder, 'cut');
    await writeFile(path, 'PAR1');
    const request = { expectations, now };
    expect(await checkQuality(path, request)).toMatchObject({ accepted: false });
    await writeFile(path, csv);
    const slow = await checkQuality(path, { ...request, limits: { ...qualityLimits, wallMs: 1 } });
    expect(slow).toMatchObject({ accepted: false, reason: expect.stringContaining('longer') as string });
    const odd = dataExpectations.parse([{ kind: 'REGEX', column: 'mail', pattern: '(' }]);
    const refused = await checkQuality(path, { expectations: odd, now });
    expect(refused).toMatchObject({ accepted: false });
    expect(JSON.stringify(refused)).not.toContain(folder);
  });

  test('a request longer than one argument of a process arrives whole', async () => {
    const values = Array.from({ length: 200 }, (_, place) => `😀${'ä'.repeat(150)}${String(place)}`);
    const list = dataExpectations.parse(
      Array.from({ length: 5 }, () => ({ kind: 'IN_SET', column: 'a', values })),
    );
    const { results } = await checked(`a\n${values[7] ?? ''}\n`, list);
    expect(results.map(({ verdict }) => verdict)).toEqual(new Array(5).fill('PASS'));
  });
});
