import {
  buildTree,
  openWorkspace,
  planTables,
  kernelMargins,
  type PlanRequest,
  type Stretch,
  type TablePlan,
  type VectorForest,
  type WorkspaceHandle,
} from '../../analysis/index.js';

/** Some trees of a wave whose tables one thread builds. */
export interface BuildRequest {
  /** Names the request; a thread keeps its plan under it. */
  readonly key: string;
  readonly request: PlanRequest;
  readonly workspace: WorkspaceHandle;
  readonly thread: number;
  readonly trees: readonly number[];
}

/** Some rows for which one thread runs the trees of a wave. */
export interface RunRequest {
  readonly workspace: WorkspaceHandle;
  readonly thread: number;
  readonly stretches: readonly Stretch[];
  readonly from: number;
  readonly to: number;
  /** Also the margins of those rows, from the trees themselves: the other side of the check. */
  readonly margins: { readonly forest: VectorForest; readonly matrix: Float32Array } | null;
}

const mostPlans = 4;
const plans = new Map<string, TablePlan | null>();

const planOf = (key: string, request: PlanRequest): TablePlan | null => {
  const known = plans.get(key);
  if (known !== undefined) return known;
  const plan = planTables(request);
  plans.set(key, plan);
  const [oldest] = plans.keys();
  if (plans.size > mostPlans && oldest !== undefined) plans.delete(oldest);
  return plan;
};

/** Builds the tables of some trees in shared memory. */
export const buildTrees = ({ key, request, workspace, thread, trees }: BuildRequest): null => {
  const plan = planOf(key, request);
  if (plan === null) throw new Error('These trees have no tables');
  const opened = openWorkspace(workspace);
  for (const tree of trees) buildTree(plan, opened, tree, thread);
  return null;
};

/** Adds the contributions of some trees to the sums of some rows in shared memory. */
export const runTrees = (asked: RunRequest): { readonly margins: Float64Array | null } => {
  const workspace = openWorkspace(asked.workspace);
  for (const stretch of asked.stretches) workspace.run(stretch, asked.from, asked.to, asked.thread);
  if (asked.margins === null) return { margins: null };
  const { forest, matrix } = asked.margins;
  return { margins: kernelMargins(forest, matrix, matrix.length / forest.width) };
};
