import { type ColumnGroup, columnOwners } from '../ensemble/ensemble.js';
import { AdditivityError, AnalysisInputError } from '../errors.js';
import { addTo, f64 } from '../numeric/typed.js';
import type { VectorForest } from '../trees/forest.js';
import { kernelMargins } from './kernels/kernel-margins.js';
import { type AttributionMethod, chooseMethod } from './choose-method.js';
import { addPairwise, createPairWalk } from './pairwise.js';
import { addQuadrature } from './quadrature.js';
import { columnCount, pairColumn } from './tables/leaf-tables.js';
import { planTables, type TablePlan } from './tables/plan.js';
import { coverOf, expectedMargins, outsideSupport, type Reference, referenceOf } from './tables/reference.js';
import { createTableRunner } from './tables/runner.js';

const TOLERANCE = 1e-9;

/** What trees are explained, and against what. */
export interface TreeExplainerRequest {
  readonly forest: VectorForest;
  /** The players: one column, or the one-hot columns of one feature. Every column belongs to one. */
  readonly groups: readonly ColumnGroup[];
  /**
   * `interventional` (the default of the product): features that are not known are taken from background rows.
   * `path-dependent`: paths that cannot be decided are averaged by how many reference rows take them; the reference
   * stands in for the training data, which ONNX files do not hold.
   */
  readonly kind: 'interventional' | 'path-dependent';
  /** Background or reference rows, row-major. */
  readonly background: Float32Array;
  /** Also the interaction of every pair of players. */
  readonly interactions?: boolean;
  /** Rows that will be explained, about: many rows repay tables. */
  readonly expectedRows?: number;
  /** Overrules the choice. */
  readonly method?: AttributionMethod;
  /** Overrules the kernel; both give the same numbers. */
  readonly kernel?: 'wasm' | 'plain';
}

/** What each player adds to the margins of some rows. */
export interface TreeExplanation {
  readonly rows: number;
  /** Row-major: player p's contribution to output o of row i at `(i * outputs + o) * players + p`, in units of the margin. */
  readonly values: Float64Array;
  /** Margins, `rows * outputs`; each is the base of its output plus its contributions. */
  readonly margins: Float64Array;
  /**
   * `rows * outputs` symmetric matrices of players by players, or null when they were not asked for: half of the
   * interaction beside the diagonal, on it what is left of the contribution, so that rows sum to contributions.
   */
  readonly interactions: Float64Array | null;
  /** Path-dependent only: 1 for rows that reach a node which no reference row reached. */
  readonly outsideSupport: Uint8Array | null;
}

/** Trees with their background, prepared once to explain many rows. */
export interface TreeExplainer {
  readonly method: AttributionMethod;
  readonly players: readonly string[];
  /** What each output is when nothing is known. */
  readonly base: Float64Array;
  readonly explain: (matrix: Float32Array) => TreeExplanation;
}

/** What is known before any row is explained. */
export interface PreparedTrees {
  readonly request: TreeExplainerRequest;
  readonly owner: Int32Array;
  readonly reference: Reference;
  readonly cover: Float64Array | null;
  readonly interactions: boolean;
  readonly base: Float64Array;
  readonly method: AttributionMethod;
  /** How tables are made; null when paths hold too many players for them. */
  readonly plan: TablePlan | null;
}

/** Sums of the rows of a matrix, row-major: per output the players, then the pairs. */
type Summing = (matrix: Float32Array, rows: number) => Float64Array;

/**
 * Exact Shapley values of the margins of trees. Throws AnalysisInputError for shapes that do not fit, AdditivityError
 * when contributions do not add up to the margin, which another piece of code computes, within 1e-9 max(1, |margin|).
 */
export function createTreeExplainer(request: TreeExplainerRequest): TreeExplainer {
  const prepared = prepareTrees(request);
  const { method, base } = prepared;
  const sums = sumsBy(prepared);
  return {
    method,
    players: request.groups.map(({ name }) => name),
    base,
    explain: (matrix) => {
      const rows = wholeRows(request.forest, matrix);
      return finishRows(prepared, matrix, {
        sums: sums(matrix, rows),
        margins: kernelMargins(request.forest, matrix, rows),
      });
    },
  };
}

/** Everything that does not depend on the rows; see createTreeExplainer. */
export function prepareTrees(request: TreeExplainerRequest): PreparedTrees {
  const { forest, groups, kind, interactions = false } = request;
  const owner = columnOwners(groups, forest.width);
  if (owner.includes(-1))
    throw new AnalysisInputError(`Column ${String(owner.indexOf(-1))} belongs to no group.`);
  const reference = referenceOf(forest, request.background);
  const cover = kind === 'path-dependent' ? coverOf(forest, reference) : null;
  const against =
    cover === null
      ? ({ kind: 'interventional', background: reference } as const)
      : ({ kind: 'path-dependent', cover } as const);
  const plan = planTables({ forest, owner, players: groups.length, against, interactions });
  const method = chooseMethod({ ...request, interactions, rows: reference.rows, plan });
  const base = cover === null ? meanMargins(forest, reference) : expectedMargins(forest, cover);
  return { request, owner, reference, cover, interactions, base, method, plan };
}

/** Rows of a matrix. Throws AnalysisInputError when they are not whole. */
export function wholeRows(forest: VectorForest, matrix: Float32Array): number {
  const rows = matrix.length / forest.width;
  if (Number.isInteger(rows)) return rows;
  throw new AnalysisInputError(
    `The matrix holds ${String(matrix.length)} values, no multiple of ${String(forest.width)} columns.`,
  );
}

function meanMargins(forest: VectorForest, { rows, matrix }: Reference): Float64Array {
  const margins = kernelMargins(forest, matrix, rows);
  const mean = new Float64Array(forest.outputs);
  margins.forEach((value, at) => {
    addTo(mean, at % forest.outputs, value / rows);
  });
  return mean;
}

function sumsBy(prepared: PreparedTrees): Summing {
  const { request, owner, reference, cover, interactions, method, plan } = prepared;
  const { forest, groups, kernel } = request;
  const players = groups.length;
  if (method === 'tables' && plan !== null) return createTableRunner(plan, kernel ?? 'wasm');
  const each =
    (add: (matrix: Float32Array, row: number, into: Float64Array, at: number) => void) =>
    (matrix: Float32Array, rows: number): Float64Array => {
      const perRow = forest.outputs * columnCount(players, interactions);
      const into = new Float64Array(rows * perRow);
      for (let row = 0; row < rows; row += 1) add(matrix, row, into, row * perRow);
      return into;
    };
  if (cover !== null) {
    return each((matrix, row, into, at) => {
      const input = matrix.subarray(row * forest.width, (row + 1) * forest.width);
      addQuadrature(forest, owner, players, cover, input, into, at);
    });
  }
  const walk = createPairWalk(forest, owner, players, interactions);
  return each((matrix, row, into, at) => {
    addPairwise(walk, matrix, row, reference, into, at);
  });
}

/** The explanation of rows from their sums. Throws AdditivityError when these contradict the margins. */
export function finishRows(
  prepared: PreparedTrees,
  matrix: Float32Array,
  { sums, margins }: { readonly sums: Float64Array; readonly margins: Float64Array },
): TreeExplanation {
  const { request, cover, base, interactions } = prepared;
  const { forest, groups } = request;
  const rows = wholeRows(forest, matrix);
  const perOutput = columnCount(groups.length, interactions);
  const cells = rows * forest.outputs;
  const values = interactions ? new Float64Array(cells * groups.length) : sums;
  if (interactions) {
    for (let cell = 0; cell < cells; cell += 1)
      values.set(sums.subarray(cell * perOutput, cell * perOutput + groups.length), cell * groups.length);
  }
  checkAdditivity(values, margins, base, groups.length);
  return {
    rows,
    values,
    margins,
    interactions: interactions ? interactionMatrices(sums, cells, groups.length) : null,
    outsideSupport: cover === null ? null : outsideSupport(forest, cover, matrix, rows),
  };
}

function checkAdditivity(
  values: Float64Array,
  margins: Float64Array,
  base: Float64Array,
  players: number,
): void {
  for (let cell = 0; cell < margins.length; cell += 1) {
    let sum = f64(base, cell % base.length);
    for (let at = cell * players; at < (cell + 1) * players; at += 1) sum += f64(values, at);
    const margin = f64(margins, cell);
    const gap = Math.abs(sum - margin);
    if (!(gap <= TOLERANCE * Math.max(1, Math.abs(margin))))
      throw new AdditivityError(Math.floor(cell / base.length), gap);
  }
}

/** Symmetric matrices from contributions and pair indices: half an index on either side, the rest on the diagonal. */
function interactionMatrices(sums: Float64Array, cells: number, players: number): Float64Array {
  const perOutput = columnCount(players, true);
  const matrices = new Float64Array(cells * players * players);
  for (let cell = 0; cell < cells; cell += 1) {
    const from = cell * perOutput;
    const to = cell * players * players;
    for (let j = 0; j < players; j += 1) {
      addTo(matrices, to + j * players + j, f64(sums, from + j));
      for (let i = 0; i < j; i += 1) {
        const half = f64(sums, from + pairColumn(players, i, j)) / 2;
        matrices[to + i * players + j] = half;
        matrices[to + j * players + i] = half;
        addTo(matrices, to + i * players + i, -half);
        addTo(matrices, to + j * players + j, -half);
      }
    }
  }
  return matrices;
}
