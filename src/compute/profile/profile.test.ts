import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { installationRoot } from '../../kernel/root.js';
import { hideSmall } from './hide.js';
import { profileData, profileLimits, type DataProfile, type ProfileOptions } from './index.js';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'countersign-profile-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const fileOf = async (content: string | Uint8Array, name = 'data'): Promise<string> => {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
};

const profiled = async (path: string, protectedAttributes: readonly string[] = []): Promise<DataProfile> => {
  const answer = await profileData(path, { protectedAttributes });
  if (!answer.accepted) throw new Error(answer.reason);
  return answer.profile;
};

const column = (profile: DataProfile, name: string): DataProfile['columns'][number] | undefined =>
  profile.columns.find((one) => one.name === name);

test('the census data is described: rows, types, ranges, groups, correlations, duplicates', async () => {
  const profile = await profiled(join(installationRoot, 'models', 'data', 'adult-heldout.csv.gz'), [
    'sex',
    'race',
    'age',
  ]);

  expect(profile).toMatchObject({
    format: 'CSV',
    duplicates: { rows: 0, exact: true },
    absent: [],
    largestHidden: 10,
  });
  expect(profile.rows).toBeGreaterThan(5000);
  expect(column(profile, 'age')).toMatchObject({ kind: 'NUMERIC', missing: 0, min: 17, max: 90 });
  expect(column(profile, 'sex')?.categories.map(({ value }) => value)).toEqual(['Male', 'Female']);
  const sizes = profile.groups.map(({ attribute, groups }) => [attribute, groups.length] as const);
  expect(Object.fromEntries(sizes)).toEqual({ sex: 2, race: 5, age: 20 });
  expect(profile.correlations.length).toBeGreaterThan(10);
});

const rowsOf = (count: number, row: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => row(index)).join('\n');

test('figures are those of the rows: missing values, mean, correlation, duplicates', async () => {
  const content = `x,y,kind\n${rowsOf(100, (index) => `${String(index)},${String(2 * index)},${index % 4 === 0 ? '' : 'a'}`)}\n0,0,\n`;
  const profile = await profiled(await fileOf(content));

  expect(profile.rows).toBe(101);
  expect(column(profile, 'x')).toMatchObject({ min: 0, max: 99, missing: 0 });
  expect(column(profile, 'x')?.mean).toBeCloseTo(4950 / 101, 9);
  expect(column(profile, 'kind')).toMatchObject({ missing: 26, categories: [{ value: 'a', count: 75 }] });
  expect(profile.correlations[0]).toMatchObject({ left: 'x', right: 'y' });
  expect(profile.correlations[0]?.value).toBeCloseTo(1, 9);
  expect(profile.duplicates).toEqual({ rows: 1, exact: true });
});

test('a Parquet file is read as well, and a packed CSV', async () => {
  const path = join(folder, 'data.parquet');
  const connection = await (await DuckDBInstance.create(':memory:')).connect();
  await connection.run(
    `copy (select range as n, 'g' || (range % 3) as g from range(300)) to '${path}' (format parquet)`,
  );

  expect(await profiled(path, ['g'])).toMatchObject({
    format: 'PARQUET',
    rows: 300,
    groups: [{ attribute: 'g', hidden: 0, groups: [{ size: 100 }, { size: 100 }, { size: 100 }] }],
  });
  expect(await profiled(await fileOf(gzipSync('a,b\n1,2\n'), 'packed'))).toMatchObject({
    format: 'CSV',
    rows: 1,
  });
});

describe('small groups', () => {
  test('are hidden with the next larger one, so that none follows from the sum', async () => {
    const content = `sex,rest\n${rowsOf(100, (index) => `${index < 60 ? 'f' : index < 97 ? 'm' : 'x'},1`)}\n`;
    const profile = await profiled(await fileOf(content), ['sex', 'gone']);

    expect(profile.groups).toEqual([
      {
        attribute: 'sex',
        hidden: 2,
        groups: [
          { group: 'f', size: 60 },
          { group: 'm', size: null },
          { group: 'x', size: null },
        ],
      },
    ]);
    expect(profile.absent).toEqual(['gone']);
    expect(column(profile, 'sex')?.categories).toEqual([{ value: 'f', count: 60 }]);
  });

  test.each([
    { counts: [50, 40, 3], shown: [50, null, null] },
    { counts: [50, 4, 3], shown: [50, null, null] },
    { counts: [50, 0, 3], shown: [null, 0, null] },
    { counts: [50, 40], shown: [50, 40] },
    { counts: [3], shown: [null] },
  ])('of $counts are shown as $shown', ({ counts, shown }) => {
    expect(hideSmall(counts)).toEqual(shown);
  });

  test('a column that names each row shows none of its values', async () => {
    const profile = await profiled(
      await fileOf(`person,x\n${rowsOf(200, (index) => `secret-${String(index)},1`)}\n`),
    );

    expect(column(profile, 'person')?.categories).toEqual([]);
    expect(JSON.stringify(profile)).not.toContain('secret-');
  });
});

const answerTo = (path: string, options: Partial<ProfileOptions> = {}): ReturnType<typeof profileData> =>
  profileData(path, { protectedAttributes: [], ...options });

describe('a file is refused', () => {
  test.each([
    ['empty', ''],
    ['a Parquet file that is cut off', 'PAR1'],
    ['bytes that are no text', Buffer.from(Array.from({ length: 4000 }, (_, index) => (index * 37) % 256))],
    ['packed and cut off', gzipSync(`a,b\n${'1,2\n'.repeat(100_000)}`).subarray(0, 60)],
  ])('%s', async (_, content) => {
    const answer = await answerTo(await fileOf(content, 'strange'));

    expect(answer).toMatchObject({ accepted: false });
    expect(JSON.stringify(answer)).not.toContain(folder);
  });

  test('that has a bad row, without a word of that row', async () => {
    const content = `n,name\n${rowsOf(30_000, (index) => `${String(index)},x`)}\nsecret-name,secret-other\n`;
    const answer = await answerTo(await fileOf(content, 'bad-row'));

    expect(answer).toMatchObject({ accepted: false });
    expect(JSON.stringify(answer)).not.toContain('secret');
  });

  test('too large, too slow', async () => {
    const path = await fileOf('a,b\n1,2\n', 'limits');
    const small = await answerTo(path, { limits: { ...profileLimits, fileBytes: 2 } });
    const slow = await answerTo(path, { limits: { ...profileLimits, wallMs: 1 } });

    expect([small, slow]).toMatchObject([
      { accepted: false, reason: expect.stringContaining('are opened') as string },
      { accepted: false, reason: expect.stringContaining('takes longer') as string },
    ]);
  });
});

test('names of columns are never statements', async () => {
  const profile = await profiled(await fileOf(`"a""; drop view data; --","b'"\n1,2\n3,4\n`), ["b'"]);

  expect(profile.schema.map(({ name }) => name)).toEqual(['a"; drop view data; --', "b'"]);
  expect(profile.rows).toBe(2);
});

test('a file of which the text asks for another one tells nothing of that one', async () => {
  const other = await fileOf('secret\nof-another\n', 'other.csv');
  const profile = await profiled(await fileOf(`a\n"${other}"\n`));

  expect(JSON.stringify(profile)).not.toContain('of-another');
});
