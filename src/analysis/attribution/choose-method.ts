import { AnalysisInputError } from '../errors.js';
import { i32 } from '../numeric/typed.js';
import type { VectorForest } from '../trees/forest.js';
import type { TablePlan } from './tables/plan.js';

/**
 * `tables`: one look-up per super-leaf and player, after tables are built. `pairwise`: every row walks the trees once
 * per background row. `quadrature`: path-dependent values by integration, leaf by leaf. All three are exact.
 */
export type AttributionMethod = 'tables' | 'pairwise' | 'quadrature';

/** Rows that repay tables when nothing is said. */
const EXPECTED_ROWS = 1000;

/** What the choice depends on. */
export interface MethodQuestion {
  readonly forest: VectorForest;
  readonly kind: 'interventional' | 'path-dependent';
  readonly interactions: boolean;
  readonly expectedRows?: number;
  readonly method?: AttributionMethod;
  /** Background rows. */
  readonly rows: number;
  /** null when paths hold too many players for tables. */
  readonly plan: TablePlan | null;
}

/**
 * The exact method with the least work, by counting additions. Never depends on the rows themselves, so that a row is
 * explained the same in any company.
 */
export function chooseMethod(question: MethodQuestion): AttributionMethod {
  const { kind, plan, method, interactions } = question;
  const walk = kind === 'interventional' ? 'pairwise' : 'quadrature';
  if (![undefined, 'tables', walk].includes(method))
    throw new AnalysisInputError(`The method ${String(method)} does not compute ${kind} values.`);
  // Quadrature knows no interactions.
  const needsTables = method === 'tables' || (interactions && walk === 'quadrature');
  if (plan === null) return withoutTables(walk, needsTables);
  if (needsTables) return 'tables';
  return method ?? (isTableCheaper(question, plan) ? 'tables' : walk);
}

function withoutTables(walk: AttributionMethod, needsTables: boolean): AttributionMethod {
  if (!needsTables) return walk;
  throw new AnalysisInputError('A path holds too many features for tables, which this needs.');
}

/** Measured: an addition of the walks costs about four of the row loop. */
const WALK_FACTOR = 4;

function isTableCheaper(
  { forest, kind, rows, expectedRows = EXPECTED_ROWS }: MethodQuestion,
  plan: TablePlan,
): boolean {
  let lookUps = 0;
  let building = 0;
  for (const { superLeaves } of plan.programs) {
    for (const { size, players, splits } of superLeaves) {
      lookUps += players.length;
      building += size * players.length * (splits.length + 1);
    }
  }
  const leaves = forest.feature.reduce((count, feature) => (feature < 0 ? count + 1 : count), 0);
  const visits = kind === 'interventional' ? rows * forest.roots.length * meanDepth(forest) : leaves * 8;
  return building + expectedRows * lookUps < WALK_FACTOR * expectedRows * visits;
}

/** Mean depth of the leaves; a walk of two rows visits somewhat more. */
function meanDepth(forest: VectorForest): number {
  let total = 0;
  let leaves = 0;
  const visit = (node: number, depth: number): void => {
    if (i32(forest.feature, node) < 0) {
      total += depth;
      leaves += 1;
      return;
    }
    visit(i32(forest.left, node), depth + 1);
    visit(i32(forest.right, node), depth + 1);
  };
  for (const root of forest.roots) visit(root, 0);
  return total / leaves;
}
