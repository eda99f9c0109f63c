import { randomUUID } from 'node:crypto';
import {
  BLOCK,
  chunkRows,
  createTreeExplainer,
  createWorkspace,
  finishRows,
  loadPlan,
  loadRows,
  planSize,
  prepareTrees,
  storeSums,
  stretchOf,
  wholeRows,
  type PreparedTrees,
  type TablePlan,
  type TreeExplainerRequest,
  type TreeExplanation,
  type VectorForest,
} from '../../analysis/index.js';
import type { Compute } from '../../kernel/ports.js';
import type { BuildRequest, RunRequest } from './trees.js';

/** How rows are spread. */
export interface SpreadOptions {
  /** Parts that are worked on at the same time. */
  readonly threads: number;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

type Spread = SpreadOptions & { readonly compute: Compute };

/**
 * Explains the margins of trees on the threads of the pool: tables are built tree by tree on all of them, in memory
 * that all of them see, then each takes some of the rows. The numbers are those of createTreeExplainer, to the last bit.
 */
export const explainTrees = async (
  compute: Compute,
  request: TreeExplainerRequest,
  matrix: Float32Array,
  options: SpreadOptions,
): Promise<TreeExplanation> => {
  const shared = {
    ...request,
    forest: sharedForest(request.forest),
    background: sharedFloats(request.background),
  };
  const prepared = prepareTrees(shared);
  if (prepared.method !== 'tables' || prepared.plan === null)
    return createTreeExplainer(request).explain(matrix);
  const { sums, margins } = await runAll(
    { ...options, compute },
    prepared,
    prepared.plan,
    sharedFloats(matrix),
  );
  return finishRows(prepared, matrix, { sums, margins });
};

const runAll = async (
  spread: Spread,
  { request, owner }: PreparedTrees,
  plan: TablePlan,
  matrix: Float32Array,
): Promise<{ sums: Float64Array; margins: Float64Array }> => {
  const { forest } = request;
  const rows = wholeRows(forest, matrix);
  const sums = new Float64Array(rows * plan.sums);
  const margins = new Float64Array(rows * forest.outputs);
  const most = chunkRows(plan);
  const workspace = createWorkspace(planSize(plan, Math.min(rows, most), spread.threads));
  loadPlan(plan, workspace);
  const { against, interactions } = plan.builder;
  const own = { forest, owner, players: request.groups.length, against, interactions };
  const build = { key: randomUUID(), request: own, workspace: workspace.handle };
  for (let first = 0; first < rows; first += most) {
    const count = Math.min(most, rows - first);
    loadRows(workspace, matrix, forest.width, first, count);
    for (const [index, wave] of plan.waves.entries()) {
      const trees = Array.from({ length: wave.endTree - wave.firstTree }, (_, tree) => wave.firstTree + tree);
      if (plan.waves.length > 1 || first === 0) await buildWave(spread, build, trees);
      const run = { workspace: workspace.handle, stretches: trees.map((tree) => stretchOf(plan, tree)) };
      const part = matrix.subarray(first * forest.width, (first + count) * forest.width);
      const isLast = index === plan.waves.length - 1;
      await runWave(spread, run, count, isLast ? { forest, matrix: part, into: margins, first } : null);
    }
    storeSums(workspace, sums, plan.sums, first, count);
  }
  return { sums, margins };
};

/** Trees are dealt out to the threads one by one. */
const buildWave = async (
  { compute, threads, ...options }: Spread,
  build: Omit<BuildRequest, 'thread' | 'trees'>,
  trees: readonly number[],
): Promise<void> => {
  await Promise.all(
    Array.from({ length: threads }, (_, thread) => {
      const own: BuildRequest = {
        ...build,
        thread,
        trees: trees.filter((tree) => tree % threads === thread),
      };
      return compute.run('attribution.build', own, options);
    }),
  );
};

interface MarginsWanted {
  readonly forest: VectorForest;
  /** The rows of this stretch. */
  readonly matrix: Float32Array;
  readonly into: Float64Array;
  readonly first: number;
}

/** Every thread takes some whole blocks of the rows. */
const runWave = async (
  { compute, threads, ...options }: Spread,
  run: Pick<RunRequest, 'workspace' | 'stretches'>,
  rows: number,
  wanted: MarginsWanted | null,
): Promise<void> => {
  const share = Math.ceil(rows / threads / BLOCK) * BLOCK;
  const parts = Array.from({ length: threads }, (_, thread) => ({
    thread,
    from: Math.min(rows, thread * share),
    to: Math.min(rows, (thread + 1) * share),
  })).filter(({ from, to }) => from < to);
  await Promise.all(
    parts.map(async ({ thread, from, to }) => {
      const margins = wanted && {
        forest: wanted.forest,
        matrix: wanted.matrix.subarray(from * wanted.forest.width, to * wanted.forest.width),
      };
      const asked: RunRequest = { ...run, thread, from, to, margins };
      const answer = await compute.run<{ margins: Float64Array | null }>('attribution.run', asked, options);
      if (wanted !== null && answer.margins !== null)
        wanted.into.set(answer.margins, (wanted.first + from) * wanted.forest.outputs);
    }),
  );
};

const sharedFloats = (values: Float32Array): Float32Array => {
  if (values.buffer instanceof SharedArrayBuffer) return values;
  const copy = new Float32Array(new SharedArrayBuffer(values.byteLength));
  copy.set(values);
  return copy;
};

/** The large arrays of a forest where every thread sees them, so that sending it copies little. */
const sharedForest = (forest: VectorForest): VectorForest => {
  const ints = (values: Int32Array): Int32Array => {
    const copy = new Int32Array(new SharedArrayBuffer(values.byteLength));
    copy.set(values);
    return copy;
  };
  const values = new Float64Array(new SharedArrayBuffer(forest.values.byteLength));
  values.set(forest.values);
  return {
    ...forest,
    feature: ints(forest.feature),
    left: ints(forest.left),
    right: ints(forest.right),
    threshold: sharedFloats(forest.threshold),
    values,
  };
};
