import { readResult, type EvidenceView } from '../../evaluations/index.js';
import type { DataRow } from '../report-data.js';

type Named = (useCaseId: string) => string;

const each = <Row extends object>(
  evidence: readonly EvidenceView[],
  useCase: Named,
  rows: (one: EvidenceView) => readonly Row[],
): (Row & { useCase: string })[] =>
  evidence.flatMap((one) => rows(one).map((row) => ({ useCase: useCase(one.useCaseId), ...row })));

const counts = (one: EvidenceView): string => {
  const enforced = one.result.checks.filter(({ mode }) => mode === 'ENFORCE');
  const watched = one.result.checks.filter(({ mode }) => mode === 'WARN');
  const passed = (list: typeof enforced): string =>
    `${String(list.filter(({ verdict }) => verdict === 'PASS').length)} of ${String(list.length)}`;
  return `${passed(enforced)} deciding checks pass; ${passed(watched)} watched limits hold`;
};

const registerRow = (one: EvidenceView) => ({
  id: one.id,
  kind: one.kind,
  verdict: one.verdict,
  summary: counts(one),
  provenance: one.provenance,
  createdAt: one.createdAt.toISOString(),
  expiresAt: one.expiresAt.toISOString(),
  dataset: one.result.dataset.path,
  rows: one.result.dataset.rows,
  datasetSha256: one.result.dataset.sha256,
  inputSha256: one.inputSha256,
  resultSha256: one.resultSha256,
  engine: one.engineVersion,
  seed: one.seed,
});

const spreadPattern = /\.(difference|ratio|largest)$/;

/** The tables of a report that come from evidence, one fact per row. */
export const evidenceTables = (stored: readonly EvidenceView[], useCase: Named): Record<string, DataRow[]> => {
  const evidence = stored.map((one) => ({ ...one, result: readResult(one.kind, one.result) }));
  const ofKind = (kind: string): EvidenceView[] => evidence.filter((one) => one.kind === kind);
  const performance = ofKind('PERFORMANCE');
  const fairness = ofKind('FAIRNESS');
  const notes = each(evidence, useCase, ({ kind, result }) => result.notes.map((note) => ({ kind, note })));
  return {
    evidence: each(evidence, useCase, (one) => [registerRow(one)]),
    checks: each(evidence, useCase, (one) => one.result.checks.map((check) => ({ kind: one.kind, ...check }))),
    performance: each(performance, useCase, (one) => one.result.figures),
    reliability: each(performance, useCase, (one) => one.result.reliability),
    spreads: each(fairness, useCase, (one) => one.result.figures.filter(({ name }) => spreadPattern.test(name))),
    groups: each(fairness, useCase, (one) => one.result.groups),
    comparisons: each(fairness, useCase, (one) => one.result.comparisons),
    fourFifths: each(fairness, useCase, (one) => one.result.fourFifths),
    attribution: each(ofKind('ATTRIBUTION'), useCase, (one) => one.result.attribution),
    notes: notes.filter((row, index) => notes.findIndex(({ note }) => note === row.note) === index),
  };
};
