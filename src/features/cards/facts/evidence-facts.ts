import type { ReadDb } from '../../../kernel/db.js';
import { readResult, verdictAt, type EvidenceKind, type EvidenceResult } from '../../evaluations/index.js';
import { factOf, filled, type Fact, type Facts, type Place } from './fact.js';

interface EvidenceRow {
  readonly id: string;
  readonly kind: EvidenceKind;
  readonly verdict: string;
  readonly provenance: string;
  readonly resultSha256: string;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly result: unknown;
}

const query = `
  select distinct on (e.kind) e.id, e.kind, ${verdictAt('$3')} as verdict, e.provenance,
         e.result_sha256 as "resultSha256", e.created_at as "createdAt", e.expires_at as "expiresAt", e.result
    from evidence e
   where e.version_id = $1 and e.use_case_id = $2 and e.created_at <= $3 order by e.kind, e.id desc`;

/** What is shown of a kind of evidence, without its tables by group. */
const summaryOf = (row: EvidenceRow, { dataset, figures, attribution, notes }: EvidenceResult): object => ({
  kind: row.kind,
  id: row.id,
  verdict: row.verdict,
  provenance: row.provenance,
  resultSha256: row.resultSha256,
  createdAt: row.createdAt.toISOString(),
  expiresAt: row.expiresAt.toISOString(),
  dataset,
  figures,
  ...(row.kind === 'ATTRIBUTION' ? { attribution } : {}),
  notes,
});

const noRatio = { ratio: null, low: null, high: null, highest: null, reason: null };

const unknownSuffix = '.unknown';

/** Selection rate and impact ratio of each group, and how many rows belong to no known one. */
const impactRatiosOf = ({ groups, fourFifths, figures }: EvidenceResult): object | null => {
  const rates = groups.filter((one) => one.metric === 'selectionRate');
  if (rates.length === 0) return null;
  const sizes = groups.filter((one) => one.metric === 'rows');
  const rows = rates.map((rate) => {
    const { attribute, group, value: selectionRate } = rate;
    const isSame = (one: { attribute: string; group: string }): boolean =>
      one.attribute === attribute && one.group === group;
    const n = sizes.find(isSame)?.value ?? rate.n;
    const ratio = fourFifths.find(isSame) ?? noRatio;
    const { low, high, highest: comparedWith } = ratio;
    const reason = rate.reason ?? ratio.reason;
    return { attribute, group, n, selectionRate, impactRatio: ratio.ratio, low, high, comparedWith, reason };
  });
  const unknown = figures
    .filter(({ name }) => name.endsWith(unknownSuffix))
    .map(({ name, value }) => ({ attribute: name.slice(0, -unknownSuffix.length), n: value }));
  return { rows, unknown };
};

/** The newest evidence of each kind at that time, and its tables by group. */
export const evidenceFacts = async (db: ReadDb, { versionId, useCaseId, at }: Place): Promise<Facts> => {
  const rows = await db.sql<EvidenceRow>(query, [versionId, useCaseId, at]);
  const facts: Partial<Record<`evidence.${EvidenceKind | 'slices' | 'impactRatios'}`, Fact | undefined>> = {};
  for (const row of rows) {
    const source = { evidence: row.id, at: row.createdAt };
    const result = readResult(row.kind, row.result);
    facts[`evidence.${row.kind}`] = factOf(summaryOf(row, result), source);
    if (row.kind !== 'FAIRNESS') continue;
    facts['evidence.slices'] = factOf(filled(result.groups), source);
    facts['evidence.impactRatios'] = factOf(impactRatiosOf(result), source);
  }
  return facts;
};
