import { AnalysisInputError } from '../errors.js';
import { normalCdf } from '../statistics/distributions.js';

/** What is believed of the score of an eligible action: normal with this mean and standard deviation. */
export interface Belief {
  readonly mean: number;
  readonly deviation: number;
}

/** Nodes and weights of Gauss and Legendre's rule with 16 points on [-1, 1] (positive half). */
const NODES = [
  [0.095012509837637, 0.189450610455068],
  [0.281603550779259, 0.182603415044924],
  [0.458016777657227, 0.169156519395003],
  [0.617876244402644, 0.149595988816577],
  [0.755404408355003, 0.124628971255534],
  [0.865631202387832, 0.095158511682493],
  [0.944575023073233, 0.062253523938648],
  [0.98940093499165, 0.027152459411754],
] as const;

/** Where, in standard deviations, the distribution function of an action bends enough to cut the integral. */
const BREAKS = [-8, -5, -3, -2, -1, 0, 1, 2, 3, 5, 8];
const FAR = 8.5;

/**
 * Propensities of Thompson sampling: the chance that an action's drawn score is the highest, null for actions that are
 * not eligible. With one model per action the drawn scores are independent normals, so the chance is an integral over
 * one number, computed to about 1e-10 instead of estimated by draws. Exact ties go to the first action.
 * @throws AnalysisInputError without an eligible action, and for beliefs that are not finite.
 */
export function thompsonPropensities(beliefs: readonly (Belief | null)[]): number[] {
  const eligible = beliefs.flatMap((belief, index) => (belief === null ? [] : [{ ...belief, index }]));
  if (eligible.length === 0) throw new AnalysisInputError('No action is eligible, so none can be chosen.');
  if (
    !eligible.every(({ mean, deviation }) => Number.isFinite(mean) && deviation >= 0 && deviation < Infinity)
  ) {
    throw new AnalysisInputError('A belief is not a finite number.');
  }
  const raw = beliefs.map((belief, index) =>
    belief === null
      ? 0
      : chanceOfBest(
          { ...belief, index },
          eligible.filter((other) => other.index !== index),
        ),
  );
  const sum = raw.reduce((total, chance) => total + chance, 0);
  return raw.map((chance) => chance / sum);
}

type Indexed = Belief & { readonly index: number };

/** P(score of another one is below x); where it is certain, the first of equals wins. */
function below(other: Indexed, x: number, index: number): number {
  if (other.deviation > 0) return normalCdf((x - other.mean) / other.deviation);
  if (x === other.mean) return index < other.index ? 1 : 0;
  return x > other.mean ? 1 : 0;
}

function chanceOfBest(own: Indexed, others: readonly Indexed[]): number {
  const allBelow = (x: number): number =>
    others.reduce((chance, other) => chance * below(other, x, own.index), 1);
  if (own.deviation === 0) return allBelow(own.mean);
  const [from, to] = [own.mean - FAR * own.deviation, own.mean + FAR * own.deviation];
  const cuts = [own, ...others]
    .flatMap(({ mean, deviation }) => BREAKS.map((at) => mean + at * deviation))
    .filter((cut) => cut > from && cut < to);
  const ends = [...new Set([from, ...cuts, to])].sort((a, b) => a - b);
  const density = (x: number): number =>
    Math.exp(-(((x - own.mean) / own.deviation) ** 2) / 2) / (own.deviation * Math.sqrt(2 * Math.PI));
  let sum = 0;
  for (let index = 1; index < ends.length; index += 1) {
    sum += integrate((x) => density(x) * allBelow(x), ends[index - 1] ?? from, ends[index] ?? to);
  }
  return sum;
}

function integrate(of: (x: number) => number, from: number, to: number): number {
  const [middle, half] = [(from + to) / 2, (to - from) / 2];
  return (
    NODES.reduce(
      (sum, [node, weight]) => sum + weight * (of(middle - half * node) + of(middle + half * node)),
      0,
    ) * half
  );
}
