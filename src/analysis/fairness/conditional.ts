import { AnalysisInputError } from '../errors.js';
import { chiSquareTail, twoSidedZ } from '../statistics/distributions.js';
import { CONFIDENCE, type Estimate, unknown } from '../statistics/estimate.js';
import { newcombe, type Proportion, type Test } from '../statistics/proportions.js';
import { type CountedGroups, countGroups, type DecidedRows, type GroupCodes } from './counts.js';
import { reportable, type Reporting, USUAL } from './reportable.js';

/** Rows of one stratum, counted by group: a report of each is Fairlearn's frame with control features. */
export interface Stratum {
  readonly stratum: string;
  readonly counted: CountedGroups;
}

/** A group beside the reference among people who are alike in the strata. */
export interface ConditionalComparison {
  readonly group: string;
  readonly reference: string;
  /** Difference of the selection rates in each stratum (Newcombe). */
  readonly strata: readonly { readonly stratum: string; readonly difference: Estimate }[];
  /** Common difference over the strata: Mantel and Haenszel's weights, variance by Sato (1989). */
  readonly commonDifference: Estimate;
  /** Is selection independent of the group within strata? Cochran, Mantel and Haenszel, without continuity correction. */
  readonly test: Test;
}

/**
 * Counts rows by group within each stratum. Rows of unknown stratum are left out.
 * @throws AnalysisInputError when lists differ in length or codes have no name.
 */
export function countByStratum(codes: GroupCodes, strata: GroupCodes, rows: DecidedRows): Stratum[] {
  if (codes.codes.length !== strata.codes.length) {
    throw new AnalysisInputError(
      `'${codes.attribute}' and '${strata.attribute}' are given for different rows.`,
    );
  }
  if (strata.codes.some((code) => code < -1 || code >= strata.groups.length)) {
    throw new AnalysisInputError(`'${strata.attribute}' has a code without a stratum.`);
  }
  return strata.groups.map((stratum, wanted) => {
    const isIn = (_: number, row: number): boolean => strata.codes[row] === wanted;
    const own = {
      selected: rows.selected.filter(isIn),
      labels: rows.labels === null ? null : rows.labels.filter(isIn),
      probabilities: rows.probabilities === null ? null : rows.probabilities.filter(isIn),
    };
    return { stratum, counted: countGroups({ ...codes, codes: codes.codes.filter(isIn) }, own) };
  });
}

/**
 * Conditional statistical parity: does selection differ between each group and the reference among people of the same
 * stratum? (Kamiran, Zliobaite and Calders, 2013.) Which strata explain a difference legitimately is not for the
 * computation to say.
 * @throws AnalysisInputError when the reference is not among the groups.
 */
export function conditionalParity(
  strata: readonly Stratum[],
  reference: string,
  reporting: Reporting = USUAL,
): ConditionalComparison[] {
  const names = [...new Set(strata.flatMap(({ counted }) => counted.groups.map(({ group }) => group)))];
  if (!names.includes(reference)) throw new AnalysisInputError(`'${reference}' is not among the groups.`);
  return names
    .filter((group) => group !== reference)
    .map((group) => {
      const pairs = strata.map(({ stratum, counted }) => {
        const share = (name: string): Proportion => {
          const own = counted.groups.find((one) => one.group === name);
          return { successes: own?.selected ?? 0, n: own?.n ?? 0 };
        };
        return { stratum, first: share(group), second: share(reference) };
      });
      return {
        group,
        reference,
        strata: pairs.map(({ stratum, first, second }) => ({
          stratum,
          difference: differenceOf(first, second, reporting),
        })),
        commonDifference: commonDifference(pairs),
        test: cochranMantelHaenszel(pairs),
      };
    });
}

function differenceOf(first: Proportion, second: Proportion, reporting: Reporting): Estimate {
  const bad = [first, second]
    .map((share) => reportable(share, reporting))
    .find((share) => typeof share === 'string');
  return bad === undefined ? newcombe(first, second) : unknown(null, bad);
}

interface Pair {
  readonly first: Proportion;
  readonly second: Proportion;
}

const inBoth = ({ first, second }: Pair): boolean => first.n > 0 && second.n > 0;

function commonDifference(strata: readonly Pair[]): Estimate {
  const pairs = strata.filter(inBoth);
  const n = pairs.reduce((sum, { first, second }) => sum + first.n + second.n, 0);
  if (pairs.length === 0) return unknown(n, 'No stratum has rows of both groups.');
  let [sum, weights, p, q] = [0, 0, 0, 0];
  for (const { first, second } of pairs) {
    const [a, c, n1, n2] = [first.successes, second.successes, first.n, second.n];
    const total = n1 + n2;
    sum += (a * n2 - c * n1) / total;
    weights += (n1 * n2) / total;
    p += (n1 * n1 * c - n2 * n2 * a + (n1 * n2 * (n2 - n1)) / 2) / (total * total);
    q += (a * (n2 - c) + c * (n1 - a)) / (2 * total);
  }
  const value = sum / weights;
  const variance = value * p + q;
  if (!(variance > 0))
    return unknown(n, 'Every stratum selects all or nobody of each group, so there is no interval.');
  const half = (twoSidedZ(CONFIDENCE) * Math.sqrt(variance)) / weights;
  return { value, n, low: Math.max(-1, value - half), high: Math.min(1, value + half) };
}

function cochranMantelHaenszel(strata: readonly Pair[]): Test {
  let [gap, variance] = [0, 0];
  for (const { first, second } of strata.filter(inBoth)) {
    const total = first.n + second.n;
    const selected = first.successes + second.successes;
    gap += first.successes - (first.n * selected) / total;
    if (total > 1) {
      variance += (first.n * second.n * selected * (total - selected)) / (total * total * (total - 1));
    }
  }
  if (variance === 0) return { method: null, reason: 'In no stratum both groups and both outcomes occur.' };
  const statistic = (gap * gap) / variance;
  return { method: 'cochran-mantel-haenszel', statistic, pValue: chiSquareTail(statistic, 1) };
}
