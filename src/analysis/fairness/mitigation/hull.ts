import { f64 } from '../../numeric/typed.js';

/** A point of a curve, and the cut that it stands for. */
export interface CurvePoint {
  readonly x: number;
  readonly y: number;
  readonly cut: number;
}

/** Upper hull, from the smallest to the largest x: what mixtures of two cuts can reach (monotone chain). */
export function upperHull(points: readonly CurvePoint[]): CurvePoint[] {
  const ordered = points.toSorted((a, b) => a.x - b.x || b.y - a.y);
  const hull: CurvePoint[] = [];
  for (const point of ordered) {
    if (hull.at(-1)?.x === point.x) continue;
    while (hull.length >= 2 && !isAbove(hull.at(-2), hull.at(-1), point)) hull.pop();
    hull.push(point);
  }
  return hull;
}

/** Does the middle point lie above the line from the first to the last? */
function isAbove(first: CurvePoint | undefined, middle: CurvePoint | undefined, last: CurvePoint): boolean {
  if (first === undefined || middle === undefined) return true;
  return (middle.y - first.y) * (last.x - first.x) > (last.y - first.y) * (middle.x - first.x);
}

/** Two neighbours of a hull, and the share of the first in the mixture that lies at x. */
export interface Mixture {
  readonly first: CurvePoint;
  readonly second: CurvePoint;
  readonly shareOfFirst: number;
  readonly y: number;
}

/** The point of a hull at x, as a mixture; x is moved into the range of the hull. */
export function mixtureAt(hull: readonly CurvePoint[], x: number): Mixture {
  const end = hull.findIndex((point) => point.x >= x);
  const second = hull[end < 0 ? hull.length - 1 : end] ?? { x: 0, y: Number.NaN, cut: 0 };
  const first = end <= 0 ? second : (hull[end - 1] ?? second);
  if (first === second || second.x === x) return { first: second, second, shareOfFirst: 0, y: second.y };
  const shareOfFirst = (second.x - x) / (second.x - first.x);
  return { first, second, shareOfFirst, y: shareOfFirst * first.y + (1 - shareOfFirst) * second.y };
}

/** All x at which one of the hulls bends, sorted, inside the range that all of them have. */
export function bends(hulls: readonly (readonly CurvePoint[])[]): number[] {
  const from = Math.max(...hulls.map((hull) => hull[0]?.x ?? Number.NaN));
  const to = Math.min(...hulls.map((hull) => hull.at(-1)?.x ?? Number.NaN));
  const inside = hulls.flat().flatMap(({ x }) => (x >= from && x <= to ? [x] : []));
  return [...new Set([from, ...inside, to])].sort((a, b) => a - b);
}

/** Also all x at which two of the hulls cross: where the least of them may bend. */
export function crossings(hulls: readonly (readonly CurvePoint[])[]): number[] {
  const at = bends(hulls);
  const heights = at.map((x) => Float64Array.from(hulls, (hull) => mixtureAt(hull, x).y));
  const found: number[] = [...at];
  for (let index = 1; index < at.length; index += 1) {
    const [left, right] = [heights[index - 1], heights[index]];
    const [from, to] = [at[index - 1] ?? 0, at[index] ?? 0];
    if (left === undefined || right === undefined) continue;
    for (let a = 0; a < hulls.length; a += 1) {
      for (let b = a + 1; b < hulls.length; b += 1) {
        const [before, after] = [f64(left, a) - f64(left, b), f64(right, a) - f64(right, b)];
        if (before * after < 0) found.push(from + ((to - from) * before) / (before - after));
      }
    }
  }
  return [...new Set(found)].sort((a, b) => a - b);
}
