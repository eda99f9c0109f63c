import { createHash } from 'node:crypto';
import { newId } from '../kernel/id.js';
import type { EvidenceKind, EvidenceResult } from '../features/evaluations/index.js';
import { runStatement } from './databases.js';
import type { TestApp } from './test-app.js';

const numbers = { value: 0.85, low: 0.84, high: 0.86, n: 12211, reason: null };
const groupOf = (attribute: string, group: string, value: number) => ({
  ...{ attribute, group, metric: 'selectionRate', value, low: value - 0.01, high: value + 0.01, n: 4000 },
  reason: null,
});
const ratioOf = (attribute: string, group: string, highest: string, ratio: number) => ({
  ...{ attribute, group, highest, ratio, low: ratio - 0.05, high: ratio + 0.05, n: 4000 },
  verdict: 'below',
  reason: null,
});

/** A small result of each kind, with figures and groups as an evaluation leaves them. */
export const resultOf = (kind: EvidenceKind): EvidenceResult => ({
  schema: 'countersign.evidence/1',
  suite: 'test',
  kind,
  dataset: { name: 'heldout', path: 'data/heldout.csv', sha256: 'a'.repeat(64), rows: 12211 },
  basis: {},
  figures:
    kind === 'PERFORMANCE'
      ? [
          { name: 'rows', label: 'Rows', ...numbers, value: 12211, low: null, high: null },
          { name: 'accuracy', label: 'Accuracy', ...numbers },
          { name: 'areaUnderCurve', label: 'Area under the ROC curve', ...numbers, value: 0.89 },
        ]
      : [
          {
            name: 'sex.unknown',
            label: 'Rows without a known sex',
            ...numbers,
            value: 7,
            low: null,
            high: null,
          },
        ],
  checks: [],
  reliability: [],
  groups: kind === 'FAIRNESS' ? [groupOf('sex', 'Female', 0.1), groupOf('sex', 'Male', 0.25)] : [],
  comparisons: [],
  fourFifths: kind === 'FAIRNESS' ? [ratioOf('sex', 'Female', 'Male', 0.4)] : [],
  attribution: [],
  notes: ['Made for a test.'],
});

/** Evidence with figures, as an evaluation would have left it; returns its id. */
export const givenMeasured = async (
  app: TestApp,
  place: { readonly versionId: string; readonly useCaseId: string },
  kind: EvidenceKind,
): Promise<string> => {
  const id = newId();
  const sha256 = createHash('sha256').update(id).digest('hex');
  const now = app.clock.now().toISOString();
  await runStatement(
    app.databaseUrl,
    `select audited_repair('evidence of a test');
     insert into evidence (id, workspace_id, version_id, version_digest, use_case_id, kind, provenance, result, verdict,
       input_sha256, result_sha256, engine_version, seed, created_at, expires_at)
     select '${id}', v.workspace_id, v.id, v.digest, '${place.useCaseId}', '${kind}', 'SUBMITTED',
       '${JSON.stringify(resultOf(kind))}', 'PASS', '${sha256}', '${sha256}', 'test', 1, '${now}',
       '${now}'::timestamptz + interval '90 days' from model_version v where v.id = '${place.versionId}'`,
  );
  return id;
};
