import { AnalysisInputError } from '../errors.js';
import type { GroupCounts, OutcomeCells } from './counts.js';

const NO_CELLS: OutcomeCells = { truePositives: 0, falsePositives: 0, falseNegatives: 0, trueNegatives: 0 };

function addCells(a: OutcomeCells | null, b: OutcomeCells | null): OutcomeCells | null {
  if (a === null || b === null) return null;
  return {
    truePositives: a.truePositives + b.truePositives,
    falsePositives: a.falsePositives + b.falsePositives,
    falseNegatives: a.falseNegatives + b.falseNegatives,
    trueNegatives: a.trueNegatives + b.trueNegatives,
  };
}

/**
 * Several groups as one, without the moments of their probabilities.
 * @throws AnalysisInputError when a name is not among the groups, or none is given.
 */
export function poolGroups(groups: readonly GroupCounts[], names: readonly string[]): GroupCounts {
  const stranger = names.find((name) => !groups.some(({ group }) => group === name));
  if (stranger !== undefined) throw new AnalysisInputError(`'${stranger}' is not among the groups.`);
  if (names.length === 0) throw new AnalysisInputError('No group is named.');
  const empty: GroupCounts = {
    group: names.join(' or '),
    n: 0,
    selected: 0,
    cells: NO_CELLS,
    squaredError: null,
    overestimate: null,
  };
  return groups
    .filter(({ group }) => names.includes(group))
    .reduce(
      (sum, { n, selected, cells }) => ({
        ...sum,
        n: sum.n + n,
        selected: sum.selected + selected,
        cells: addCells(sum.cells, cells),
      }),
      empty,
    );
}
