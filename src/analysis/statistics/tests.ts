import { chiSquareTail } from './distributions.js';
import type { Proportion, Test } from './proportions.js';

/** Do several shares differ at all? Chi-square test with one degree of freedom less than there are groups. */
export function homogeneity(groups: readonly Proportion[]): Test {
  const counted = groups.filter(({ n }) => n > 0);
  const n = counted.reduce((sum, group) => sum + group.n, 0);
  const successes = counted.reduce((sum, group) => sum + group.successes, 0);
  if (counted.length < 2) return { method: null, reason: 'Fewer than two groups have rows.' };
  if (successes === 0 || successes === n) return { method: null, reason: 'All rows have the same outcome.' };
  const share = successes / n;
  const statistic = counted.reduce(
    (sum, group) => sum + (group.successes - group.n * share) ** 2 / (group.n * share * (1 - share)),
    0,
  );
  return { method: 'chi-square', statistic, pValue: chiSquareTail(statistic, counted.length - 1) };
}

/** Holm's step-down adjustment: p-values that may each be compared with the level, in the order given. */
export function holm(pValues: readonly number[]): number[] {
  const order = pValues.map((_, index) => index).sort((a, b) => (pValues[a] ?? 1) - (pValues[b] ?? 1));
  const adjusted = new Array<number>(pValues.length).fill(1);
  let running = 0;
  order.forEach((index, rank) => {
    running = Math.max(running, Math.min(1, (pValues[index] ?? 1) * (pValues.length - rank)));
    adjusted[index] = running;
  });
  return adjusted;
}

/**
 * Benjamini and Hochberg's step-up adjustment: p-values whose rejection at a level keeps the expected share of false
 * rejections below it, in the order given. Valid for independent or positively dependent tests.
 */
export function benjaminiHochberg(pValues: readonly number[]): number[] {
  const order = pValues.map((_, index) => index).sort((a, b) => (pValues[b] ?? 1) - (pValues[a] ?? 1));
  const adjusted = new Array<number>(pValues.length).fill(1);
  let running = 1;
  order.forEach((index, rank) => {
    running = Math.min(running, ((pValues[index] ?? 1) * pValues.length) / (pValues.length - rank));
    adjusted[index] = running;
  });
  return adjusted;
}
