import { readResult, type EvidenceView } from '../../evaluations/index.js';
import type { DataRow } from '../report-data.js';

type Named = (id: string) => string;

/** What the rows of evidence are about: without these, those of two versions could not be told apart. */
type About = Readonly<Record<'useCase' | 'version', string>>;

const each = <Row extends object>(
  evidence: readonly EvidenceView[],
  about: (one: EvidenceView) => About,
  rows: (one: EvidenceView) => readonly Row[],
): (Row & About)[] => evidence.flatMap((one) => rows(one).map((row) => ({ ...about(one), ...row })));

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
export const evidenceTables = (
  stored: readonly EvidenceView[],
  useCase: Named,
  version: Named,
): Record<string, DataRow[]> => {
  const about = (one: EvidenceView): About => ({ useCase: useCase(one.useCaseId), version: version(one.versionId) });
  const evidence = stored.map((one) => ({ ...one, result: readResult(one.kind, one.result) }));
  const ofKind = (kind: string): EvidenceView[] => evidence.filter((one) => one.kind === kind);
  const performance = ofKind('PERFORMANCE');
  const fairness = ofKind('FAIRNESS');
  const notes = each(evidence, about, ({ kind, result }) => result.notes.map((note) => ({ kind, note })));
  return {
    evidence: each(evidence, about, (one) => [registerRow(one)]),
    checks: each(evidence, about, (one) => one.result.checks.map((check) => ({ kind: one.kind, ...check }))),
    performance: each(performance, about, (one) => one.result.figures),
    reliability: each(performance, about, (one) => one.result.reliability),
    spreads: each(fairness, about, (one) => one.result.figures.filter(({ name }) => spreadPattern.test(name))),
    groups: each(fairness, about, (one) => one.result.groups),
    comparisons: each(fairness, about, (one) => one.result.comparisons),
    fourFifths: each(fairness, about, (one) => one.result.fourFifths),
    attribution: each(ofKind('ATTRIBUTION'), about, (one) => one.result.attribution),
    notes: notes.filter((row, index) => notes.findIndex(({ note }) => note === row.note) === index),
  };
};
