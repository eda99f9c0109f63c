import { i32 } from '../../numeric/typed.js';
import type { VectorForest } from '../../trees/forest.js';
import type { Stretch, Workspace, WorkspaceSize } from '../kernels/workspace.js';
import { type Against, buildTables, createBuilder, type TableBuilder } from './build-tables.js';
import { columnCount, pairColumn } from './leaf-tables.js';
import { compileTree, type TreeProgram } from './tree-program.js';

/** Table entries that are held at once: 128 MB. */
const WAVE_ENTRIES = 2 ** 24;

/** Trees whose tables are in memory together. */
export interface Wave {
  readonly firstTree: number;
  readonly endTree: number;
}

/** How a forest is explained by tables: the instructions of its trees, and in which waves the tables are built. */
export interface TablePlan {
  readonly forest: VectorForest;
  readonly programs: readonly TreeProgram[];
  readonly waves: readonly Wave[];
  /** First instruction of every tree, and of one more. */
  readonly opsAt: Int32Array;
  /** First table entry of every tree within its wave. */
  readonly tablesAt: Int32Array;
  /** Sums per row: outputs times columns of all players. */
  readonly sums: number;
  readonly builder: TableBuilder;
}

/** What is explained, against what. */
export interface PlanRequest {
  readonly forest: VectorForest;
  /** Player of every column of the matrix. */
  readonly owner: Int32Array;
  readonly players: number;
  readonly against: Against;
  readonly interactions: boolean;
}

/** The plan of a forest; null when a path holds too many players for tables. Deterministic, so every thread may make its own. */
export function planTables(request: PlanRequest): TablePlan | null {
  const { forest, owner, players, against, interactions } = request;
  const perOutput = columnCount(players, interactions);
  const columnsOf = (of: readonly number[]): number[] => {
    const columns = interactions ? [...of, ...pairsOf(players, of)] : of;
    return Array.from({ length: forest.outputs }, (_, output) => output).flatMap((output) =>
      columns.map((column) => output * perOutput + column),
    );
  };
  const programs: TreeProgram[] = [];
  for (const root of forest.roots) {
    const program = compileTree(forest, owner, root, columnsOf);
    if (program === null || program.length > WAVE_ENTRIES) return null;
    programs.push(program);
  }
  const opsAt = new Int32Array(programs.length + 1);
  programs.forEach(({ ops }, tree) => {
    opsAt[tree + 1] = i32(opsAt, tree) + ops.length;
  });
  const builder = createBuilder(forest, owner, against, interactions);
  return { forest, programs, ...wavesOf(programs), opsAt, sums: forest.outputs * perOutput, builder };
}

/** Columns of the pairs of some of the players, in the order of pairColumn over those some. */
function pairsOf(players: number, of: readonly number[]): number[] {
  return of.flatMap((second, j) =>
    of.slice(0, j).map((first) => pairColumn(players, Math.min(first, second), Math.max(first, second))),
  );
}

function wavesOf(programs: readonly TreeProgram[]): Pick<TablePlan, 'waves' | 'tablesAt'> {
  const tablesAt = new Int32Array(programs.length);
  const waves: Wave[] = [];
  let firstTree = 0;
  let entries = 0;
  programs.forEach(({ length }, tree) => {
    if (entries + length > WAVE_ENTRIES) {
      waves.push({ firstTree, endTree: tree });
      firstTree = tree;
      entries = 0;
    }
    tablesAt[tree] = entries;
    entries += length;
  });
  waves.push({ firstTree, endTree: programs.length });
  return { waves, tablesAt };
}

/** The workspace that a plan needs for so many rows at a time. */
export function planSize(plan: TablePlan, rows: number, threads: number): WorkspaceSize {
  const tables = plan.waves.map(({ firstTree, endTree }) => {
    const last = plan.programs[endTree - 1];
    return endTree === firstTree || last === undefined ? 0 : i32(plan.tablesAt, endTree - 1) + last.length;
  });
  return {
    ops: i32(plan.opsAt, plan.programs.length),
    tables: Math.max(...tables),
    leaf: largestLeaf(plan),
    columns: plan.forest.width,
    sums: plan.sums,
    rows,
    threads,
  };
}

function largestLeaf({ programs, builder }: TablePlan): number {
  let most = 0;
  for (const { superLeaves } of programs) {
    for (const { above, splits, players } of superLeaves) {
      const d = Math.min(players.length, above.length + splits.length);
      most = Math.max(most, columnCount(d, builder.interactions) * 2 ** d);
    }
  }
  return most;
}

/** Copies the instructions into a new workspace. */
export function loadPlan(plan: TablePlan, workspace: Workspace): void {
  plan.programs.forEach(({ ops }, tree) => {
    workspace.ops.set(ops, i32(plan.opsAt, tree));
  });
}

/** Builds the tables of one tree, in their place of its wave. */
export function buildTree(plan: TablePlan, workspace: Workspace, tree: number, thread: number): void {
  const program = plan.programs[tree];
  if (program === undefined) return;
  buildTables(plan.builder, program, workspace, { offset: i32(plan.tablesAt, tree), thread });
}

/** Where the instructions and the tables of a tree are. */
export function stretchOf(plan: TablePlan, tree: number): Stretch {
  return { from: i32(plan.opsAt, tree), to: i32(plan.opsAt, tree + 1), tables: i32(plan.tablesAt, tree) };
}
