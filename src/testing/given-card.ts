import { cardFields } from '../features/cards/card-fields.js';
import type { CardFieldView, CardView } from '../features/cards/read-card.js';
import { resultOf } from './given-evidence.js';

const nobody = { value: null, source: 'UNKNOWN', evidence: null, by: null, byName: null, at: null } as const;
const somebody = { by: 'p1', byName: 'Emma', at: '2026-11-27T10:00:00.000Z', howToFill: null } as const;

/** A card with these values, and every other field unknown; as `readCard` would show it. */
export const cardWith = (values: Readonly<Record<string, unknown>>): CardView => {
  const fields = cardFields().map((field): CardFieldView => {
    const { name, section, label, help, type, governed, auto } = field;
    const shape = { name, section, label, help, type, governed, automatic: auto !== undefined };
    if (values[name] === undefined) return { ...shape, ...nobody, howToFill: 'Ask somebody.' };
    const source = auto === undefined ? 'ATTESTED' : 'AUTO';
    return { ...shape, ...nobody, ...somebody, value: values[name], source };
  });
  return {
    versionId: '01900000-0000-7000-8000-000000000001',
    useCaseId: '01900000-0000-7000-8000-000000000002',
    id: null,
    revision: 3,
    updatedAt: null,
    at: new Date('2026-11-27T12:00:00Z'),
    fields,
    completeness: { known: 0, total: 0, unknown: [], unknownGoverned: [] },
  };
};

/** Values for every kind of field that an export reads. */
export const fullCard: Readonly<Record<string, unknown>> = {
  modelName: 'income-routing',
  modelKind: 'ONNX',
  version: 7,
  description: 'Routes the verification of incomes.',
  digest: 'd'.repeat(64),
  registered: { by: 'p1', at: '2026-11-20T08:00:00.000Z' },
  licence: { identifier: 'apache-2.0' },
  provider: 'Meridian Savings',
  owners: [{ name: 'Olga' }],
  contact: 'olga@example.com',
  languages: ['en'],
  task: 'tabular-classification',
  learningApproach: 'supervised',
  architectureFamily: 'gradient-boosted trees',
  architecture: 'Soft vote of four models.',
  codeCommit: 'abc123',
  parent: { model: 'income-routing', version: 6, digest: 'e'.repeat(64) },
  changesSinceApproved: [{ field: 'digest', label: 'Digest', change: 'from e to d' }],
  artifacts: [{ path: 'model.onnx', sha256: 'b'.repeat(64), bytes: 1024 }],
  signature: {
    inputs: [{ name: 'age', kind: 'numeric', min: 17, max: 90 }],
    outputs: [{ name: 'probability', elementType: 'double', shape: [null] }],
  },
  datasets: [
    {
      name: 'adult-train',
      sha256: 'c'.repeat(64),
      role: 'train',
      rows: 29303,
      source: 'UCI Adult',
      licence: 'CC-BY-4.0',
    },
  ],
  dataSheets: [
    {
      dataset: 'adult-train',
      provenance: 'Census of 1994',
      sensitive: ['sex', 'race'],
      owner: 'UCI',
      url: 'https://archive.ics.uci.edu/dataset/2/adult',
    },
    { dataset: 'complaints', selection: 'All of 2025' },
  ],
  metrics: { heldout_auc: 0.89 },
  performance: { verdict: 'PASS', ...resultOf('PERFORMANCE') },
  performanceBySlice: resultOf('FAIRNESS').groups,
  intendedUse: 'Routing only.',
  outOfScopeUse: 'Refusing anybody.',
  users: ['Clerks'],
  limitations: 'The data is of 1994.',
  tradeoffs: ['Two points of accuracy for leaving out sex and race.'],
  ethicalConsiderations: 'Groups are watched.',
  risks: [{ name: 'Delay', mitigation: 'Reviewers', residual: 'small' }, { name: 'Bias' }],
  fairnessAssessments: [
    { groupAtRisk: 'Women', harms: 'More documents asked', mitigation: 'Watched weekly' },
  ],
  energy: [{ activity: 'training', kWh: 0.4, tCO2eq: 0.0001, provider: 'own', region: 'EU', hours: 1 }],
  links: [{ label: 'Paper', url: 'https://arxiv.org/abs/2108.04884' }],
  citations: [{ style: 'bibtex', citation: '@misc{x}' }],
};

/** The same card, with text everywhere that tries to be more than text. */
export const hostileCard: Readonly<Record<string, unknown>> = {
  ...fullCard,
  modelName: '---\nlicense: mit\n<script>alert(1)</script>',
  description: '```\n# heading\n| a | b |\n[x](javascript:alert(1)) ![](http://evil.example/x.png) *b*',
  task: 'no: &anchor *alias !!tag {{ "quote',
  languages: ['no', 'on', '0o17', '1:30', 'null'],
  licence: { identifier: 'Our "own": <licence>' },
  users: ['- item\n\n---\n\n# New section'],
  links: [{ label: ']( x', url: 'https://example.com/%22%3E?a=<b>' }],
};
