import { describe, expect, test } from 'vitest';

import { AnalysisInputError } from '../errors.js';
import type { GroupCodes } from './counts.js';
import { type AuditBreakdown, auditClasses, auditScores, auditSelections } from './local-law-144.js';

/** Codes with the given number of rows per category; -1 for the last when it is unknown. */
function repeated(attribute: string, sizes: Readonly<Record<string, number>>): GroupCodes {
  const groups = Object.keys(sizes).filter((name) => name !== 'unknown');
  const codes = Object.entries(sizes).flatMap(([name, n]) => new Array<number>(n).fill(groups.indexOf(name)));
  return { attribute, groups, codes: Int32Array.from(codes) };
}

/** Applicants, and of them above the median, as the example of the rule prints them. */
const SEX = { Male: [92, 50], Female: [76, 34] } as const;
const RACE = {
  'Hispanic or Latino': [28, 18],
  White: [40, 15],
  'Black or African American': [32, 16],
  'Native Hawaiian or Pacific Islander': [8, 5],
  Asian: [24, 10],
  'Others of the example': [36, 20],
} as const;

/** Rows of each category, those above the median first. */
const rowsOf = (
  table: Readonly<Record<string, readonly [number, number]>>,
): { name: string; isAbove: boolean }[] =>
  Object.entries(table).flatMap(([name, [n, above]]) =>
    Array.from({ length: n }, (_, row) => ({ name, isAbove: row < above })),
  );

const codesFor = (attribute: string, rows: readonly { name: string }[]): GroupCodes => {
  const groups = [...new Set(rows.map(({ name }) => name))];
  return { attribute, groups, codes: Int32Array.from(rows, ({ name }) => groups.indexOf(name)) };
};

const shown = ({ categories }: AuditBreakdown): unknown[] =>
  categories.map(({ category, applicants, rate, impactRatio }) => [
    category,
    applicants,
    rate.value === null ? null : Math.round(rate.value * 1000) / 10,
    impactRatio.value === null ? null : Math.round(impactRatio.value * 100) / 100,
  ]);

describe('Local Law 144', () => {
  test('the scored example of the rule, row by row', () => {
    // Both tables have 84 of 168 above the median, so the same people can carry both.
    const order = (rows: { name: string; isAbove: boolean }[]): { name: string; isAbove: boolean }[] =>
      rows.toSorted((a, b) => Number(b.isAbove) - Number(a.isAbove));
    const [sex, race] = [order(rowsOf(SEX)), order(rowsOf(RACE))];
    const scores = Float64Array.from(sex, ({ isAbove }, row) => (isAbove ? 60 + (row % 7) : 40 - (row % 5)));
    const audit = auditScores({ sex: codesFor('sex', sex), race: codesFor('race', race) }, scores);
    expect(audit).toMatchObject({ kind: 'scoring', applicants: 168, classifiedInto: null });
    expect(audit.medianScore).toBe(50);
    expect(shown(audit.breakdowns[0])).toEqual([
      ['Male', 92, 54.3, 1],
      ['Female', 76, 44.7, 0.82],
    ]);
    // The rule prints 64.2 for 18 of 28 (0.6428...), cut and not rounded.
    const byRace = new Map(shown(audit.breakdowns[1]).map((row) => [(row as unknown[])[0], row]));
    expect(byRace.get('Hispanic or Latino')).toEqual(['Hispanic or Latino', 28, 64.3, 1]);
    expect(byRace.get('White')).toEqual(['White', 40, 37.5, 0.58]);
    expect(byRace.get('Black or African American')).toEqual(['Black or African American', 32, 50, 0.78]);
    expect(byRace.get('Native Hawaiian or Pacific Islander')).toMatchObject([
      expect.anything(),
      8,
      62.5,
      0.97,
    ]);
    expect(byRace.get('Asian')).toEqual(['Asian', 24, 41.7, 0.65]);
    expect(audit.breakdowns[1].highest).toBe('Hispanic or Latino');
    expect(audit.breakdowns[2].categories.length).toBeGreaterThan(6);
  });

  test('strictly above the median of the full sample, the unknown included in it', () => {
    const sex = repeated('sex', { f: 3, m: 3, unknown: 3 });
    const race = repeated('race', { x: 9 });
    const audit = auditScores({ sex, race }, Float64Array.of(1, 2, 5, 5, 6, 7, 1, 2, 9));
    expect(audit.medianScore).toBe(5);
    expect(audit.breakdowns[0]).toMatchObject({ unknown: 3, highest: 'm' });
    expect(audit.breakdowns[0].categories.map(({ counted }) => counted)).toEqual([0, 2]);
    expect(audit.breakdowns[1].unknown).toBe(0);
    expect(audit.breakdowns[2].unknown).toBe(3);
  });

  test('a category below 2 % is left out only with a justification, and keeps its number and rate', () => {
    const sex = repeated('sex', { f: 99, m: 99, x: 3 });
    const race = repeated('race', { a: 201 });
    const selected = Uint8Array.from({ length: 201 }, (_, row) => (row >= 198 || row % 3 === 0 ? 1 : 0));
    const plain = auditSelections({ sex, race }, selected);
    expect(plain.breakdowns[0]).toMatchObject({ highest: 'x' });
    const smallCategoryJustification = 'Three people tell nothing about a rate.';
    const audit = auditSelections({ sex, race }, selected, { smallCategoryJustification });
    expect(audit.breakdowns[0].highest).toBe('f');
    expect(audit.breakdowns[0].categories[2]).toMatchObject({
      category: 'x',
      applicants: 3,
      counted: 3,
      rate: { value: 1 },
      impactRatio: { value: null },
      leftOut: smallCategoryJustification,
    });
    expect(audit.breakdowns[0].categories[0]).toMatchObject({ impactRatio: { value: 1 }, leftOut: null });
    expect(() => auditSelections({ sex, race }, selected, { smallCategoryJustification: ' ' })).toThrow(
      'is empty',
    );
  });

  test('a classification is audited for each of its groups', () => {
    const sex = repeated('sex', { f: 4, m: 4 });
    const race = repeated('race', { a: 8 });
    const classes: GroupCodes = {
      attribute: 'class',
      groups: ['lead', 'team'],
      codes: Int32Array.of(0, 1, 1, 1, 0, 0, 1, 1),
    };
    const audits = auditClasses({ sex, race }, classes);
    expect(audits.map(({ classifiedInto }) => classifiedInto)).toEqual(['lead', 'team']);
    expect(audits[0]?.breakdowns[0].categories.map(({ rate }) => rate.value)).toEqual([0.25, 0.5]);
    expect(audits[1]?.breakdowns[0].categories.map(({ impactRatio }) => impactRatio.value)).toEqual([
      1,
      0.5 / 0.75,
    ]);
  });

  test('nobody selected is no ratio; bad input is refused', () => {
    const sex = repeated('sex', { f: 2, m: 2 });
    const race = repeated('race', { a: 4 });
    const none = auditSelections({ sex, race }, new Uint8Array(4)).breakdowns[0];
    expect(none.highest).toBeNull();
    expect(none.categories[0]?.impactRatio).toMatchObject({ value: null });
    const nobody = { sex: repeated('sex', {}), race: repeated('race', {}) };
    expect(() => auditSelections(nobody, new Uint8Array(0))).toThrow('no applicants');
    expect(() => auditSelections({ sex, race }, Uint8Array.of(1))).toThrow('different numbers');
    expect(() => auditSelections({ sex, race }, Uint8Array.of(1, 2, 0, 0))).toThrow('0 or 1');
    expect(() => auditScores({ sex, race }, Float64Array.of(1, 2, Infinity, 0))).toThrow('finite');
    expect(() => auditClasses({ sex, race }, { ...sex, codes: Int32Array.of(0, 0, 0, -1) })).toThrow(
      AnalysisInputError,
    );
    const wrong = { ...sex, codes: Int32Array.of(0, 1, 2, 0) };
    expect(() => auditSelections({ sex: wrong, race }, new Uint8Array(4))).toThrow('without a category');
    // A category without applicants is there with no rate.
    const empty = auditSelections(
      { sex: { ...sex, groups: ['f', 'm', 'x'] }, race },
      Uint8Array.of(1, 0, 1, 1),
    );
    expect(empty.breakdowns[0].categories[2]).toMatchObject({ applicants: 0, rate: { value: null } });
  });
});
