import { AnalysisInputError } from '../errors.js';
import { f64, i32 } from '../numeric/typed.js';
import { quantileOf } from '../statistics/bootstrap.js';
import { type Estimate, unknown } from '../statistics/estimate.js';
import { katzRatio, type Proportion, wilson } from '../statistics/proportions.js';
import { type GroupCodes, intersectGroups } from './counts.js';

/*
 * Bias audit of New York City's Local Law 144 as 6 RCNY 5-301 prescribes it, word by word: it knows no threshold and
 * no interval. The intervals here stand beside, they change nothing.
 */

/** One category of one breakdown. */
export interface AuditCategory {
  readonly category: string;
  /** Number of applicants of this category. */
  readonly applicants: number;
  /** Share of all data, unknown categories included: what the 2 % are of. */
  readonly shareOfData: number;
  /** Selected, or scored above the median. */
  readonly counted: number;
  /** Selection rate or scoring rate; Wilson's interval. */
  readonly rate: Estimate;
  /** Rate over the highest rate; Katz' interval. 1 for the highest itself; null where left out or undefined. */
  readonly impactRatio: Estimate;
  /** Why the impact ratio was left out: the justification of the auditor. */
  readonly leftOut: string | null;
}

/** Sex, race or ethnicity, or both together. */
export interface AuditBreakdown {
  readonly attribute: string;
  readonly categories: readonly AuditCategory[];
  /** Individuals assessed but not included, because their category is unknown. */
  readonly unknown: number;
  /** Category with the highest rate; null when no rate is above zero. */
  readonly highest: string | null;
}

/** Calculations of the summary of results of one outcome (5-301 (b) or (c)). */
export interface BiasAudit {
  readonly kind: 'selection' | 'scoring';
  /** The group into which the tool classifies; null for selections and scores. */
  readonly classifiedInto: string | null;
  readonly applicants: number;
  /** Median score of the full sample; null for selections. */
  readonly medianScore: number | null;
  /** Separately for sex, for race or ethnicity, and for both together. */
  readonly breakdowns: readonly [sex: AuditBreakdown, race: AuditBreakdown, both: AuditBreakdown];
}

/** Categories of every applicant; -1 where unknown. */
export interface AuditedPeople {
  readonly sex: GroupCodes;
  readonly race: GroupCodes;
}

/** 5-301 (d): categories below 2 % of the data may be left out of impact ratios, with a justification. */
export interface AuditOptions {
  /** Without it no category is left out. */
  readonly smallCategoryJustification?: string;
}

const SMALL_SHARE = 0.02;

/**
 * Audit of a tool that selects people to move forward. `selected` is 0 or 1 for each applicant.
 * @throws AnalysisInputError when lists differ in length, there are no applicants, or values are not 0 or 1.
 */
export function auditSelections(
  people: AuditedPeople,
  selected: Uint8Array,
  options: AuditOptions = {},
): BiasAudit {
  checkPeople(people, selected.length, options);
  if (selected.some((value) => value > 1)) throw new AnalysisInputError('Selections are 0 or 1.');
  return auditOf(people, (row) => selected[row] === 1, options, { kind: 'selection' });
}

/**
 * Audit of a tool that classifies people into groups: the calculation repeated for each of them, "selected" being
 * classified into it. `classes` has one code for each applicant.
 * @throws AnalysisInputError as `auditSelections`, and for an applicant without a class.
 */
export function auditClasses(
  people: AuditedPeople,
  classes: GroupCodes,
  options: AuditOptions = {},
): BiasAudit[] {
  checkPeople(people, classes.codes.length, options);
  if (classes.codes.some((code) => code < 0 || code >= classes.groups.length)) {
    throw new AnalysisInputError('An applicant is classified into no group.');
  }
  return classes.groups.map((classifiedInto, code) =>
    auditOf(people, (row) => classes.codes[row] === code, options, { kind: 'selection', classifiedInto }),
  );
}

/**
 * Audit of a tool that scores: the scoring rate is the share strictly above the median of the full sample, people of
 * unknown category included in the sample.
 * @throws AnalysisInputError as `auditSelections`, and for a score that is not finite.
 */
export function auditScores(
  people: AuditedPeople,
  scores: Float64Array,
  options: AuditOptions = {},
): BiasAudit {
  checkPeople(people, scores.length, options);
  if (!scores.every(Number.isFinite)) throw new AnalysisInputError('A score is not a finite number.');
  const medianScore = quantileOf(Float64Array.from(scores).sort(), 0.5);
  return auditOf(people, (row) => f64(scores, row) > medianScore, options, { kind: 'scoring', medianScore });
}

function checkPeople({ sex, race }: AuditedPeople, rows: number, options: AuditOptions): void {
  if (sex.codes.length !== rows || race.codes.length !== rows) {
    throw new AnalysisInputError(
      'Sex, race or ethnicity and outcome are given for different numbers of applicants.',
    );
  }
  if (rows === 0) throw new AnalysisInputError('There are no applicants to audit.');
  for (const { attribute, codes, groups } of [sex, race]) {
    if (codes.some((code) => code < -1 || code >= groups.length)) {
      throw new AnalysisInputError(`'${attribute}' has a code without a category.`);
    }
  }
  if (options.smallCategoryJustification?.trim() === '') {
    throw new AnalysisInputError('The justification for leaving categories out is empty.');
  }
}

function auditOf(
  { sex, race }: AuditedPeople,
  isCounted: (row: number) => boolean,
  options: AuditOptions,
  about: { kind: BiasAudit['kind']; medianScore?: number; classifiedInto?: string },
): BiasAudit {
  const breakdown = (codes: GroupCodes): AuditBreakdown => breakdownOf(codes, isCounted, options);
  return {
    kind: about.kind,
    classifiedInto: about.classifiedInto ?? null,
    applicants: sex.codes.length,
    medianScore: about.medianScore ?? null,
    breakdowns: [breakdown(sex), breakdown(race), breakdown(intersectGroups(sex, race))],
  };
}

interface Category extends Proportion {
  readonly category: string;
  readonly isLeftOut: boolean;
}

function breakdownOf(
  { attribute, groups, codes }: GroupCodes,
  isCounted: (row: number) => boolean,
  { smallCategoryJustification = null }: { smallCategoryJustification?: string | null },
): AuditBreakdown {
  const applicants = new Float64Array(groups.length);
  const counted = new Float64Array(groups.length);
  let unknownRows = 0;
  for (let row = 0; row < codes.length; row += 1) {
    const code = i32(codes, row);
    if (code < 0) {
      unknownRows += 1;
      continue;
    }
    applicants[code] = f64(applicants, code) + 1;
    if (isCounted(row)) counted[code] = f64(counted, code) + 1;
  }
  const categories = groups.map((category, code): Category => {
    const [n, successes] = [f64(applicants, code), f64(counted, code)];
    const isLeftOut = smallCategoryJustification !== null && n / codes.length < SMALL_SHARE;
    return { category, n, successes, isLeftOut };
  });
  const highest = categories
    .filter(({ n, isLeftOut }) => n > 0 && !isLeftOut)
    .reduce<Category | null>((top, one) => (top === null || rateOf(one) > rateOf(top) ? one : top), null);
  return {
    attribute,
    unknown: unknownRows,
    highest: highest !== null && highest.successes > 0 ? highest.category : null,
    categories: categories.map((one) => ({
      category: one.category,
      applicants: one.n,
      shareOfData: one.n / codes.length,
      counted: one.successes,
      rate: wilson(one),
      impactRatio: impactRatioOf(one, highest),
      leftOut: one.isLeftOut ? smallCategoryJustification : null,
    })),
  };
}

const rateOf = ({ successes, n }: Proportion): number => successes / n;

function impactRatioOf(category: Category, highest: Category | null): Estimate {
  if (category.isLeftOut) return unknown(category.n, 'Left out: less than 2 % of the data (5-301 (d)).');
  if (highest === null || category.n === 0) return unknown(category.n, 'No applicants.');
  if (highest.successes === 0)
    return unknown(category.n, 'The highest rate is zero, so the ratio is undefined.');
  return category === highest ? { value: 1, n: category.n, low: 1, high: 1 } : katzRatio(category, highest);
}
