import { f64 } from '../numeric/typed.js';

/** Nodes and weights on [0, 1]. */
export interface QuadratureRule {
  readonly nodes: Float64Array;
  readonly weights: Float64Array;
}

const known = new Map<number, QuadratureRule>();

/**
 * The Gauss-Legendre rule of `points` nodes on [0, 1]: exact for polynomials up to degree 2 points - 1. Roots of the
 * Legendre polynomial by Newton's method from the Chebyshev-like start (Abramowitz and Stegun 25.4.30).
 */
export function gaussLegendre(points: number): QuadratureRule {
  const found = known.get(points);
  if (found !== undefined) return found;
  const nodes = new Float64Array(points);
  const weights = new Float64Array(points);
  for (let index = 0; index < points; index += 1) {
    let x = Math.cos((Math.PI * (index + 0.75)) / (points + 0.5));
    for (let step = 0; step < 100; step += 1) {
      const { value, derivative } = legendre(points, x);
      const next = x - value / derivative;
      if (Math.abs(next - x) < 1e-16) break;
      x = next;
    }
    const slope = legendre(points, x).derivative;
    nodes[points - 1 - index] = (x + 1) / 2;
    weights[points - 1 - index] = 1 / ((1 - x * x) * slope * slope);
  }
  // The exact weights sum to one; so do these, or additivity would carry the rounding of every weight.
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const rule = { nodes, weights: weights.map((weight) => weight / total) };
  known.set(points, rule);
  return rule;
}

function legendre(degree: number, x: number): { value: number; derivative: number } {
  const values = Float64Array.of(1, x);
  for (let n = 2; n <= degree; n += 1) {
    const next = ((2 * n - 1) * x * f64(values, 1) - (n - 1) * f64(values, 0)) / n;
    values[0] = f64(values, 1);
    values[1] = next;
  }
  const [before, value] = degree === 0 ? [0, 1] : [f64(values, 0), f64(values, 1)];
  return { value, derivative: (degree * (x * value - before)) / (x * x - 1) };
}
