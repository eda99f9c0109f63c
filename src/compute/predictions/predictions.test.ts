import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { areaUnderCurve, performanceReport, randomStream } from '../../analysis/index.js';
import { measureTable, type MeasuredPredictions, type PredictionsRequest } from './index.js';
import type { PredictionsAnswer } from './report.js';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'countersign-predictions-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const request: PredictionsRequest = {
  columns: { prediction: null, score: 'score', outcome: 'outcome', groups: ['sex'] },
  positive: 'yes',
  threshold: 0.5,
  isProbability: true,
  bins: 10,
  seed: 1,
  unknown: ['', '?'],
  intersections: [],
  baseline: null,
  freeze: null,
};

const { uniform } = randomStream(9);
const rows = Array.from({ length: 2000 }, (_, row) => {
  const score = Math.round(uniform() * 1000) / 1000;
  return {
    score,
    outcome: uniform() < score ? 'yes' : 'no',
    sex: row % 7 === 0 ? '?' : row % 2 === 0 ? 'f' : 'm',
    age: Math.floor(uniform() * 60) + 18,
    job: ['a', 'b', 'c'][row % 3] ?? 'a',
  };
});
type Row = Readonly<Record<string, string | number>>;
const csv = (list: readonly Row[]): string => {
  const names = Object.keys(list[0] ?? {});
  return [names.join(','), ...list.map((row) => names.map((name) => row[name]).join(','))].join('\n');
};

const answerTo = async (
  content: string,
  change: Partial<PredictionsRequest> = {},
): Promise<PredictionsAnswer> => {
  const path = join(folder, 'table.csv');
  await writeFile(path, content);
  return measureTable(path, { ...request, ...change });
};
const measured = async (
  list: readonly Row[],
  change: Partial<PredictionsRequest> = {},
): Promise<MeasuredPredictions> => {
  const answer = await answerTo(csv(list), change);
  if (!answer.accepted) throw new Error(answer.reason);
  return answer.measured;
};
const labels = Uint8Array.from(rows, ({ outcome }) => (outcome === 'yes' ? 1 : 0));
const scores = Float64Array.from(rows, ({ score }) => score);

describe('a table of predictions', () => {
  test('with scores and outcomes gives the figures of the same rows in memory', async () => {
    const found = await measured(rows);
    const wanted = performanceReport({ labels, probabilities: scores }, { threshold: 0.5, seed: 1 });

    expect(found.decisions).toMatchObject({
      n: 2000,
      confusion: wanted.confusion,
      accuracy: wanted.accuracy,
    });
    expect(found.scores).toMatchObject({
      areaUnderCurve: wanted.areaUnderCurve,
      brier: wanted.brier,
      calibrationError: wanted.calibrationError,
    });
    expect(found.fairness[0]).toMatchObject({ attribute: 'sex', unknown: 286, n: 1714 });
    expect(found).toMatchObject({ rows: 2000, withoutOutcome: 0, exactMatch: null, expected: null });
  });

  test('with labels only, as a language model gives them, has decisions and no figure of a score', async () => {
    const said = rows.map(({ score, outcome, sex }) => ({
      said: score > 0.6 ? 'yes' : score > 0.3 ? 'no' : 'cannot tell',
      outcome,
      sex,
    }));
    const columns = { prediction: 'said', score: null, outcome: 'outcome', groups: ['sex'] };
    const found = await measured(said, { columns });

    const right = said.filter((row) => row.said === row.outcome).length;
    expect(found.exactMatch).toMatchObject({ value: right / 2000, n: 2000 });
    expect(found.decisions?.selectionRate).toMatchObject({
      value: said.filter((row) => row.said === 'yes').length / 2000,
    });
    expect(found.scores).toBeNull();
    expect(found.fairness[0]?.groups[0]?.brier).toMatchObject({ value: null });
  });

  test('with a score that is an order has the area under the curve, and no calibration', async () => {
    const found = await measured(
      rows.map((row) => ({ ...row, score: 300 + row.score * 550 })),
      { isProbability: false, threshold: 575 },
    );
    const area = areaUnderCurve({ labels, probabilities: scores });
    expect(found.scores?.areaUnderCurve.value).toBeCloseTo(area.value ?? Number.NaN, 12);
    expect(found.scores?.brier).toMatchObject({
      value: null,
      reason: expect.stringContaining('order') as string,
    });
  });

  test('measures the rows whose outcome is known, and counts the others', async () => {
    const found = await measured(
      rows.map((row, place) => ({ ...row, outcome: place < 500 ? row.outcome : '' })),
    );
    expect(found).toMatchObject({ rows: 2000, withoutOutcome: 1500, decisions: { n: 500 } });
  });

  test('freezes a baseline, and a later table without outcomes is held against it', async () => {
    const freeze = {
      features: [
        { name: 'age', kind: 'NUMERIC' },
        { name: 'job', kind: 'CATEGORICAL' },
      ],
      bins: 10,
      names: 10,
    } satisfies PredictionsRequest['freeze'];
    const { frozen } = await measured(rows, { freeze });
    expect(frozen?.columns.map(({ name }) => name)).toEqual(['age', 'job', 'score']);

    const later = rows.map(({ age, outcome: _, ...row }) => ({ ...row, age: age + 30 }));
    const columns = { ...request.columns, outcome: null };
    const found = await measured(later, { columns, baseline: frozen });
    expect(found.window?.find(({ name }) => name === 'age')?.counts.bins.at(-1)).toBeGreaterThan(900);
    expect(found.expected?.accuracy.value).toBeCloseTo(
      rows.filter(({ score, outcome }) => score >= 0.5 === (outcome === 'yes')).length / 2000,
      1,
    );
    expect(found.expectedGroups.map(({ group }) => group).toSorted()).toEqual(['f', 'm']);
    expect(found.decisions).toBeNull();
    expect(found.fairness[0]?.disparities[0]?.metric).toBe('selectionRate');

    const missing = await answerTo(csv(rows.map(({ job: _, ...row }) => row)), { baseline: frozen });
    expect(missing).toMatchObject({ accepted: false, rule: 'columns', reason: 'it has no column job' });
  });
});

const good = { score: 0.5, outcome: 'yes', sex: 'f' };

describe('a table is refused, by a rule and in a sentence that names no value,', () => {
  test.each([
    ['without a column', [{ points: 1, outcome: 'yes', sex: 'f' }], 'columns', 'it has no column score'],
    ['with a missing score', [good, { ...good, score: '' }], 'scores', 'rows 2)'],
    ['with an infinite score', [good, { ...good, score: 'inf' }], 'scores', 'infinite'],
    ['with a score that is NaN', [{ ...good, score: 'nan' }], 'scores', 'rows 1)'],
    ['with a word for a score', [{ ...good, score: 'high' }], 'scores', 'no number'],
    ['with a score above one', [{ ...good, score: 1.01 }], 'score-range', 'no probability'],
    [
      'with more groups than can be compared',
      Array.from({ length: 300 }, (_, row) => ({ ...good, sex: `person ${String(row)}` })),
      'groups',
      'more than 200 groups',
    ],
  ])('%s', async (_, list, rule, sentence) => {
    const answer = await answerTo(csv(list));
    expect(answer).toMatchObject({
      accepted: false,
      rule,
      reason: expect.stringContaining(sentence) as string,
    });
    expect(JSON.stringify(answer)).not.toContain('person');
  });

  test('with a header only, and with nothing at all', async () => {
    expect(await answerTo('score,outcome,sex\n')).toMatchObject({ rule: 'rows', reason: 'it has no rows' });
    expect(await answerTo('')).toMatchObject({ rule: 'limits', reason: 'it is empty' });
    expect(await answerTo('PAR1')).toMatchObject({ rule: 'unreadable' });
  });
});

describe('what cannot be computed has no value and says why:', () => {
  test('one row, one class, groups that are empty or unknown', async () => {
    const found = await measured([{ ...good, sex: '?' }]);
    expect(found).toMatchObject({
      rows: 1,
      decisions: { falsePositiveRate: { value: null } },
      scores: { areaUnderCurve: { value: null }, brier: { value: null } },
      fairness: [{ n: 0, unknown: 1, groups: [], reference: null }],
    });
    const one = await measured(Array.from({ length: 50 }, () => good));
    expect(one.scores?.areaUnderCurve).toMatchObject({ value: null, reason: expect.any(String) as string });
    expect(one.decisions?.truePositiveRate).toMatchObject({ value: 1, n: 50 });
  });

  test('positive as a number is the same whether the file says 1 or 1.0', async () => {
    const found = await measured(
      [
        { ...good, outcome: '1.0' },
        { ...good, outcome: '1' },
        { ...good, outcome: '0' },
      ],
      { positive: '1' },
    );
    expect(found.decisions?.prevalence).toMatchObject({ value: 2 / 3, n: 3 });
  });
});
