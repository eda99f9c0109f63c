import { columnDrift, holm, type ColumnDrift } from '../../../analysis/index.js';
import type { BaselineColumn, DriftBaseline, DriftWindow } from '../../../kernel/drift-baseline.js';
import type { EvaluationPolicy } from '../evaluation-policy.js';
import { submittedSuite } from '../evaluation-policy.js';
import type { DriftRow, EvidenceResult, Figure } from '../evidence-result.js';
import { judge } from '../judge.js';
import { counted } from './estimates.js';
import { submittedNotes, type Submitted } from './submitted.js';

/** Distances of one column beside its baseline. */
export const driftOf = (column: BaselineColumn, window: DriftWindow): ColumnDrift | null => {
  const found = window.find(({ name }) => name === column.name);
  return found ? columnDrift(column.bins, column.counts, found.counts) : null;
};

/** The p-value of the stability index; null where it is undefined. */
export const pValueOf = ({ psi }: ColumnDrift): number | null => (psi.value === null ? null : psi.pValue);

const ks = ({ kolmogorov }: ColumnDrift) => ({
  kolmogorovLow: kolmogorov.value,
  kolmogorovHigh: kolmogorov.value === null ? null : kolmogorov.high,
});

const earth = ({ wasserstein }: ColumnDrift) => ({
  wasserstein: wasserstein.value,
  wassersteinLow: wasserstein.value === null ? null : wasserstein.low,
  wassersteinHigh: wasserstein.value === null ? null : wasserstein.high,
});

const stability = ({ psi }: ColumnDrift) => ({
  psi: psi.value,
  psiThreshold: psi.value === null ? null : psi.threshold,
});

const rowOf = (
  column: BaselineColumn,
  drift: ColumnDrift,
  adjusted: number | null,
  { psi, level }: EvaluationPolicy['drift'],
): DriftRow => ({
  column: column.name,
  kind: column.bins.kind,
  rows: drift.rows,
  missing: drift.missing,
  missingBefore: drift.missingBefore,
  unseen: drift.unseen,
  ...stability(drift),
  psiPValue: pValueOf(drift),
  adjustedPValue: adjusted,
  jensenShannon: drift.jensenShannon.value,
  hellinger: drift.hellinger.value,
  ...ks(drift),
  ...earth(drift),
  chiSquarePValue: drift.chiSquare.method === null ? null : drift.chiSquare.pValue,
  drifted: drift.psi.value !== null && drift.psi.value >= psi && (adjusted ?? 1) < level,
  reason: drift.psi.reason ?? drift.kolmogorov.reason ?? drift.wasserstein.reason,
});

/** Every column of the baseline as it is in a window; p-values corrected by Holm for their number. */
export const driftRows = (
  { columns }: DriftBaseline,
  window: DriftWindow,
  settings: EvaluationPolicy['drift'],
): DriftRow[] => {
  const found = columns.flatMap((column) => {
    const drift = driftOf(column, window);
    return drift ? [{ column, drift }] : [];
  });
  const adjusted = holm(found.flatMap(({ drift }) => pValueOf(drift) ?? [])).values();
  return found.map(({ column, drift }) =>
    rowOf(column, drift, pValueOf(drift) === null ? null : (adjusted.next().value ?? null), settings),
  );
};

const figuresOf = (rows: readonly DriftRow[], total: number): Figure[] => {
  const drifted = rows.filter((row) => row.drifted).length;
  const known = rows.filter(({ psi }) => psi !== null);
  const widest = known.toSorted((a, b) => (b.psi ?? 0) - (a.psi ?? 0))[0];
  const largest = widest?.psi ?? null;
  return [
    { name: 'rows', label: 'Rows', ...counted(total) },
    { name: 'columns', label: 'Columns of the baseline', ...counted(rows.length) },
    { name: 'drifted', label: 'Columns that have drifted', ...counted(drifted, rows.length) },
    {
      name: 'driftedShare',
      label: 'Share of columns that have drifted',
      ...counted(
        rows.length === 0 ? null : drifted / rows.length,
        rows.length,
        rows.length === 0 ? 'There is no column.' : null,
      ),
    },
    {
      name: 'largestPsi',
      label: `Largest population stability index${widest ? ` (${widest.column})` : ''}`,
      ...counted(largest, total, largest === null ? 'No column has one.' : null),
    },
  ];
};

/** Evidence of drift: how far every column of a frozen baseline has moved. */
export const driftResult = (
  baseline: { readonly id: string; readonly sha256: string; readonly document: DriftBaseline },
  window: DriftWindow,
  about: Submitted,
  policy: EvaluationPolicy,
): EvidenceResult => {
  const rows = driftRows(baseline.document, window, policy.drift);
  const figures = figuresOf(rows, about.dataset.rows);
  return {
    schema: 'countersign.evidence/1',
    suite: submittedSuite,
    kind: 'DRIFT',
    dataset: about.dataset,
    basis: {
      provenance: 'SUBMITTED',
      submittedBy: about.submittedBy,
      baselineId: baseline.id,
      baselineSha256: baseline.sha256,
      baselineRows: baseline.document.rows,
      psi: policy.drift.psi,
      level: policy.drift.level,
    },
    figures,
    checks: judge(figures, policy.submitted.DRIFT),
    reliability: [],
    groups: [],
    comparisons: [],
    fourFifths: [],
    attribution: [],
    drift: rows,
    notes: [
      ...submittedNotes(about),
      'All distances are of counts on the frozen bins. Kolmogorov-Smirnov and Wasserstein are given with the bounds that hold whatever the values inside of the bins are.',
      'Drift says that rows are others than they were, not that the model has become worse, and no drift does not say that it has not.',
    ],
  };
};
