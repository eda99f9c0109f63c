import { f32, f64 } from '../../numeric/typed.js';
import { createWorkspace, type Workspace } from '../kernels/workspace.js';
import { buildTree, loadPlan, planSize, stretchOf, type TablePlan } from './plan.js';

/** Rows that are in the workspace at a time: memory does not grow with the matrix, except for the result. */
const MOST_ROWS = 65_536;
const FEWEST_ROWS = 512;
const CHUNK_BYTES = 2 ** 26;

/** How many rows of a plan to work on at a time. */
export function chunkRows(plan: TablePlan): number {
  const perRow = plan.forest.width * 4 + plan.sums * 8;
  const fit = Math.floor(CHUNK_BYTES / perRow / FEWEST_ROWS) * FEWEST_ROWS;
  return Math.max(FEWEST_ROWS, Math.min(MOST_ROWS, fit));
}

/**
 * Runs a plan on one thread. Tables that fit in one wave are built once and kept; larger forests build theirs anew for
 * each stretch of rows.
 */
export function createTableRunner(
  plan: TablePlan,
  kernel: 'wasm' | 'plain',
): (matrix: Float32Array, rows: number) => Float64Array {
  let workspace: Workspace | null = null;
  let isBuilt = false;
  return (matrix, rows) => {
    const sums = new Float64Array(rows * plan.sums);
    const most = chunkRows(plan);
    const needed = Math.min(rows, most);
    if (workspace === null || workspace.handle.size.rows < needed) {
      workspace = createWorkspace(planSize(plan, needed, 1), kernel);
      loadPlan(plan, workspace);
      isBuilt = false;
    }
    for (let row = 0; row < rows; row += most) {
      const count = Math.min(most, rows - row);
      loadRows(workspace, matrix, plan.forest.width, row, count);
      runWaves(plan, workspace, count, isBuilt);
      isBuilt = plan.waves.length === 1;
      storeSums(workspace, sums, plan.sums, row, count);
    }
    return sums;
  };
}

function runWaves(plan: TablePlan, workspace: Workspace, rows: number, isBuilt: boolean): void {
  for (const { firstTree, endTree } of plan.waves) {
    for (let tree = firstTree; tree < endTree; tree += 1) {
      if (!isBuilt) buildTree(plan, workspace, tree, 0);
      workspace.run(stretchOf(plan, tree), 0, rows, 0);
    }
  }
}

/** Copies rows of a row-major matrix into the columns of a workspace, and clears their sums. */
export function loadRows(
  workspace: Workspace,
  matrix: Float32Array,
  width: number,
  first: number,
  rows: number,
): void {
  const { columns, stride } = workspace;
  for (let column = 0; column < width; column += 1) {
    for (let row = 0; row < rows; row += 1)
      columns[column * stride + row] = f32(matrix, (first + row) * width + column);
  }
  workspace.sums.fill(0);
}

/** Copies the sums of a workspace's rows, row-major, to their place. */
export function storeSums(
  workspace: Workspace,
  into: Float64Array,
  sums: number,
  first: number,
  rows: number,
): void {
  for (let sum = 0; sum < sums; sum += 1) {
    for (let row = 0; row < rows; row += 1)
      into[(first + row) * sums + sum] = f64(workspace.sums, sum * workspace.stride + row);
  }
}
