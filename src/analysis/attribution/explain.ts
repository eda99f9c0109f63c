import type { Ensemble } from '../ensemble/ensemble.js';
import { AdditivityError, AnalysisInputError } from '../errors.js';
import { f64 } from '../numeric/typed.js';
import {
  addLinear,
  addShapley,
  createGame,
  type Game,
  resetGame,
  settle,
  slotsOf,
  walkTrees,
} from './game.js';
import { linearParts } from './linear-parts.js';
import { fillDecisions } from './merged-trees.js';

const TOLERANCE = 1e-9;
const MOST_DECISIONS = 2 ** 30;

export interface Explanation {
  /** Mean calibrated probability over the background: what is known before any feature is. */
  readonly base: number;
  /** Names of the players, in the order of the ensemble's groups. */
  readonly players: readonly string[];
  readonly rows: number;
  /** Row-major: contribution of player p to row i at `i * players.length + p`, in units of probability. */
  readonly values: Float64Array;
  /** Calibrated probability of each row; equals base plus its contributions. */
  readonly probability: Float64Array;
}

/** An ensemble with its background, prepared once to explain many rows. */
export interface Explainer {
  readonly base: number;
  readonly players: readonly string[];
  readonly explain: (matrix: Float32Array) => Explanation;
}

interface Background {
  readonly rows: number;
  readonly linear: readonly Float64Array[];
}

/**
 * Prepares exact interventional Shapley values of the ensemble's calibrated probability against a background of
 * rows. Cost per row: the nodes visited plus n 2^n per background row, n being the players that differ.
 */
export function createExplainer(
  ensemble: Ensemble,
  background: Float32Array,
  kernel: 'wasm' | 'plain' = 'wasm',
): Explainer {
  const rows = rowsOf(ensemble, background, 'background');
  if (rows === 0)
    throw new AnalysisInputError(
      'The background has no rows; an explanation needs something to compare with.',
    );
  const nodes = countNodes(ensemble);
  if (rows * nodes > MOST_DECISIONS)
    throw new AnalysisInputError(
      `A background of ${String(rows)} rows is too large for ${String(nodes)} nodes.`,
    );
  const game = createGame(ensemble, rows, kernel);
  const prepared = prepareBackground(game, background, rows);
  const predictions = ensemble.predict(background, rows).probability;
  checkDefined(predictions, 'background');
  const base = mean(predictions);
  const players = ensemble.groups.map(({ name }) => name);
  return { base, players, explain: (matrix) => explainMatrix(game, prepared, matrix, base, players) };
}

/** One call for few rows: see createExplainer. */
export function explainRows(ensemble: Ensemble, matrix: Float32Array, background: Float32Array): Explanation {
  return createExplainer(ensemble, background).explain(matrix);
}

function countNodes({ members }: Ensemble): number {
  return members.reduce(
    (sum, { member: { model } }) => sum + (model.kind === 'trees' ? model.feature.length : 0),
    0,
  );
}

function rowsOf(ensemble: Ensemble, matrix: Float32Array, what: string): number {
  const rows = matrix.length / ensemble.width;
  if (Number.isInteger(rows)) return rows;
  throw new AnalysisInputError(
    `The ${what} holds ${String(matrix.length)} values, no multiple of ${String(ensemble.width)} columns.`,
  );
}

/** Trees know where a missing value goes; a line does not. */
function checkDefined(probability: Float64Array, what: string): void {
  const row = probability.findIndex(Number.isNaN);
  if (row < 0) return;
  throw new AnalysisInputError(
    `Row ${String(row)} of the ${what} misses a value that a linear member needs.`,
  );
}

function prepareBackground(game: Game, background: Float32Array, rows: number): Background {
  const { ensemble, trees } = game;
  const linear: Float64Array[] = [];
  for (let row = 0; row < rows; row += 1) {
    const values = background.subarray(row * ensemble.width, (row + 1) * ensemble.width);
    fillDecisions(trees, ensemble, values, game.memory.goR, row * trees.nodes);
    linear.push(linearParts(ensemble, game.owner, values));
  }
  return { rows, linear };
}

function explainMatrix(
  game: Game,
  background: Background,
  matrix: Float32Array,
  base: number,
  players: readonly string[],
): Explanation {
  const { ensemble, trees } = game;
  const rows = rowsOf(ensemble, matrix, 'matrix');
  const { probability } = ensemble.predict(matrix, rows);
  checkDefined(probability, 'matrix');
  const values = new Float64Array(rows * players.length);
  for (let row = 0; row < rows; row += 1) {
    const input = matrix.subarray(row * ensemble.width, (row + 1) * ensemble.width);
    fillDecisions(trees, ensemble, input, game.memory.goX, 0);
    explainOne(game, background, linearParts(ensemble, game.owner, input), values, row * players.length);
    checkAdditivity(values, row, players.length, f64(probability, row) - base);
  }
  return { base, players, rows, values, probability };
}

/** Plays the row whose decisions are in the game's memory against every background row. */
function explainOne(
  game: Game,
  background: Background,
  ofRow: Float64Array,
  into: Float64Array,
  offset: number,
): void {
  for (let row = 0; row < background.rows; row += 1) {
    resetGame(game);
    const linear = background.linear[row];
    if (linear !== undefined) addLinear(game, ofRow, linear);
    walkTrees(game, row);
    if (slotsOf(game) === 0) continue;
    settle(game);
    addShapley(game, into, offset, 1 / background.rows);
  }
}

/** The contributions must add up to prediction minus base; both of those were computed by another path. */
function checkAdditivity(values: Float64Array, row: number, players: number, wanted: number): void {
  let sum = 0;
  for (let player = 0; player < players; player += 1) sum += f64(values, row * players + player);
  const gap = Math.abs(sum - wanted);
  if (!(gap <= TOLERANCE * Math.max(1, Math.abs(wanted)))) throw new AdditivityError(row, gap);
}

function mean(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}
