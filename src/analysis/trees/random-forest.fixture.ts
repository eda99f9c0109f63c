import { floor32 } from '../numeric/float32.js';
import type { Forest } from './forest.js';

/** A reproducible uniform generator for tests and benchmarks (Lehmer, modulus 2^31 - 1). */
export function seededUniform(seed: number): () => number {
  let state = (seed % 2_147_483_646) + 1;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

export interface RandomShape {
  readonly trees: number;
  readonly depth: number;
  readonly width: number;
  readonly seed: number;
  /** Share of splits that test for equality. */
  readonly equality?: number;
  /** Share of the equality splits that accept a second value. */
  readonly membership?: number;
  /** Chance that a node above the full depth is a leaf. */
  readonly leafChance?: number;
  readonly scale?: number;
}

/** Random trees with repeated features, both NaN sides and equality splits on small integers. */
export function randomForest(shape: RandomShape): Forest {
  const uniform = seededUniform(shape.seed);
  const { membership = 0, scale = 1 } = shape;
  const nodes: number[][] = [];
  const alternatives = new Map<number, Float32Array>();
  const grow = (depth: number): number => {
    const node = nodes.length;
    const cells = [-1, 0, 0, 0, -1, -1, 0];
    nodes.push(cells);
    if (depth === 0 || uniform() < (shape.leafChance ?? 0.1)) {
      cells[6] = (uniform() - 0.5) * scale;
      return node;
    }
    const equality = uniform() < (shape.equality ?? 0.1);
    cells[0] = Math.floor(uniform() * shape.width);
    cells[1] = equality ? Math.floor(uniform() * 4) : floor32(uniform() * 4);
    cells[2] = equality ? 1 : 0;
    if (equality && uniform() < membership)
      alternatives.set(node, Float32Array.of(Math.floor(uniform() * 4)));
    cells[3] = uniform() < 0.5 ? 1 : 0;
    cells[4] = grow(depth - 1);
    cells[5] = grow(depth - 1);
    return node;
  };
  const roots = Array.from({ length: shape.trees }, () => grow(shape.depth));
  const column = (index: number): number[] => nodes.map((cells) => cells[index] ?? Number.NaN);
  return {
    kind: 'trees',
    width: shape.width,
    roots: Int32Array.from(roots),
    feature: Int32Array.from(column(0)),
    threshold: Float32Array.from(column(1)),
    isEquality: Uint8Array.from(column(2)),
    alternatives,
    nanLeft: Uint8Array.from(column(3)),
    left: Int32Array.from(column(4)),
    right: Int32Array.from(column(5)),
    value: Float64Array.from(column(6)),
    base: (uniform() - 0.5) / 2,
  };
}

/** A matrix of halves between 0 and 4, so that equality splits meet, with some NaN. */
export function randomMatrix(rows: number, width: number, seed: number, missing = 0.1): Float32Array {
  const uniform = seededUniform(seed);
  return Float32Array.from({ length: rows * width }, () =>
    uniform() < missing ? Number.NaN : Math.floor(uniform() * 9) / 2,
  );
}
