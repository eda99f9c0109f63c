import { createHash } from 'node:crypto';
import { canonicalBytes } from '../../../kernel/audit.js';
import { formatOf, notKnown, present, type CardContent, type Measure } from './card-content.js';
import { safeAddress } from './escape.js';
import { spdxIdentifier } from './licences.js';

/* CycloneDX ML-BOM. The tree of the model card is the same in 1.6 and 1.7. */

/** The versions of the specification that a card can be written in. */
export type BomVersion = '1.6' | '1.7';

const property = (name: string, value: string): object => ({ name: `countersign:${name}`, value });

const sha256 = (content: string | null): object[] => (content === null ? [] : [{ alg: 'SHA-256', content }]);

const licencesOf = ({ known }: CardContent): object[] => {
  const licence = known.licence;
  if (!licence) return [];
  if ('text' in licence)
    return [{ license: { name: 'custom', text: { contentType: 'text/plain', content: licence.text } } }];
  const id = spdxIdentifier(licence.identifier);
  return [{ license: id === null ? { name: licence.identifier } : { id } }];
};

type Sheet = NonNullable<CardContent['known']['dataSheets']>[number];
type Registered = NonNullable<CardContent['known']['datasets']>[number];

const linesOf = (value: Readonly<Record<string, unknown>>): string =>
  Object.entries(present(value))
    .map(([key, inner]) => `${key}: ${String(inner)}`)
    .join('\n');

const datasetOf = (name: string, sheet?: Sheet, registered?: Registered): object => {
  const { provenance, scope, selection, labelling, cleaning, licence, owner } = sheet ?? {};
  const source = registered?.source;
  const facts = Object.entries(present({ licence, ...present({ ...registered }) }));
  return present({
    type: 'dataset',
    name,
    contents: present({
      url: sheet?.url === undefined ? null : safeAddress(sheet.url),
      properties: facts.map(([key, value]) => property(`dataset:${key}`, String(value))),
    }),
    classification: sheet?.classification,
    sensitiveData: sheet?.sensitive,
    description: linesOf({ source, provenance, scope, selection, labelling, cleaning }) || notKnown,
    governance: owner === undefined ? null : { owners: [{ organization: { name: owner } }] },
  });
};

const datasetsOf = ({ known }: CardContent): object[] => {
  const sheets = known.dataSheets ?? [];
  const registered = known.datasets ?? [];
  const names = [...registered.map(({ name }) => name), ...sheets.map(({ dataset }) => dataset)];
  return [...new Set(names)].map((name) =>
    datasetOf(
      name,
      sheets.find(({ dataset }) => dataset === name),
      registered.find((one) => one.name === name),
    ),
  );
};

const metricOf = ({ type, value, low, high, n, slice }: Measure): object =>
  present({
    type: n === null ? type : `${type} (n = ${String(n)})`,
    value: String(value),
    slice,
    confidenceInterval:
      low === null || high === null ? null : { lowerBound: String(low), upperBound: String(high) },
  });

const approaches = [
  'supervised',
  'unsupervised',
  'reinforcement-learning',
  'semi-supervised',
  'self-supervised',
];

const parametersOf = (content: CardContent): object => {
  const { known, text } = content;
  const signature = known.signature;
  const approach = text('learningApproach');
  return present({
    approach: approach !== null && approaches.includes(approach) ? { type: approach } : null,
    task: text('task'),
    architectureFamily: text('architectureFamily'),
    modelArchitecture: text('architecture'),
    datasets: datasetsOf(content),
    inputs: signature?.inputs.map((one) => ({ format: formatOf(one) })),
    outputs: signature?.outputs.map((one) => ({ format: formatOf(one) })),
  });
};

const energyOf = ({ known }: CardContent): object | null => {
  if (!known.energy) return null;
  return {
    energyConsumptions: known.energy.map(({ activity, kWh, tCO2eq, provider, region, hardware, hours }) =>
      present({
        activity,
        energyProviders: [
          {
            organization: { name: provider ?? notKnown },
            energySource: notKnown,
            energyProvided: { value: kWh, unit: 'kWh' },
          },
        ],
        activityEnergyCost: { value: kWh, unit: 'kWh' },
        co2CostEquivalent: tCO2eq === undefined ? null : { value: tCO2eq, unit: 'tCO2eq' },
        properties: Object.entries(present({ region, hardware, hours })).map(([key, value]) =>
          property(`energy:${key}`, String(value)),
        ),
      }),
    ),
  };
};

const considerationsOf = (content: CardContent): object => {
  const { known, text } = content;
  const texts = (names: readonly string[]): string[] => names.flatMap((name) => text(name) ?? []);
  return present({
    users: known.users,
    useCases: texts(['intendedUse']),
    technicalLimitations: texts(['limitations', 'outOfScopeUse', 'foreseeableMisuse']),
    performanceTradeoffs: known.tradeoffs,
    ethicalConsiderations: [
      ...texts(['ethicalConsiderations']).map((name) => ({ name })),
      ...(known.risks ?? []).map(({ name, mitigation }) => present({ name, mitigationStrategy: mitigation })),
    ],
    environmentalConsiderations: energyOf(content),
    fairnessAssessments: (known.fairnessAssessments ?? []).map(
      ({ groupAtRisk, benefits, harms, mitigation }) =>
        present({ groupAtRisk, benefits, harms, mitigationStrategy: mitigation }),
    ),
  });
};

const pedigreeOf = ({ known, text }: CardContent): object | null => {
  const parent = known.parent;
  const commit = text('codeCommit');
  const changes = known.changesSinceApproved;
  const pedigree = present({
    ancestors: parent
      ? [
          present({
            type: 'machine-learning-model',
            name: parent.model,
            version: String(parent.version),
            hashes: sha256(parent.digest),
          }),
        ]
      : [],
    commits: commit === null ? [] : [{ uid: commit }],
    notes: changes?.map(({ label, change }) => `${label}: ${change}`).join('\n'),
  });
  return Object.keys(pedigree).length === 0 ? null : pedigree;
};

const filesOf = ({ known }: CardContent): object[] =>
  (known.artifacts ?? []).map(({ path, sha256: digest, bytes }, index) => ({
    type: 'file',
    'bom-ref': `artifact-${String(index + 1)}`,
    name: path,
    hashes: sha256(digest),
    properties: [property('bytes', String(bytes))],
  }));

const modelOf = (content: CardContent): object => {
  const { card, known, text, unknown } = content;
  const owners = known.owners ?? [];
  const provider = text('provider');
  return present({
    type: 'machine-learning-model',
    'bom-ref': `model-version-${card.versionId}`,
    supplier: provider === null ? null : { name: provider },
    authors: owners.map(({ name }) => ({ name })),
    name: text('modelName') ?? notKnown,
    version: String(known.version ?? notKnown),
    description: text('description') ?? text('modelDescription'),
    hashes: sha256(text('digest')),
    licenses: licencesOf(content),
    pedigree: pedigreeOf(content),
    externalReferences: (known.links ?? []).map(({ url, label }) =>
      present({ type: 'documentation', url: safeAddress(url), comment: label }),
    ),
    components: filesOf(content),
    modelCard: {
      modelParameters: parametersOf(content),
      quantitativeAnalysis: present({ performanceMetrics: content.measures.map(metricOf) }),
      considerations: considerationsOf(content),
    },
    properties: [
      property('digest', 'SHA-256 over the canonical JSON of the sorted paths and digests of the artifacts'),
      property('useCase', card.useCaseId),
      property('cardRevision', String(card.revision)),
      ...unknown.map((label) => property('unknown', label)),
    ],
  });
};

/** The same content has the same serial number, in the form of a UUID of version 8. */
const serialOf = (document: object): string => {
  const hex = createHash('sha256').update(canonicalBytes(document)).digest('hex');
  const parts = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ];
  return `urn:uuid:${parts.join('-')}`;
};

/** The card as a CycloneDX ML-BOM. */
export const toCycloneDx = (content: CardContent, specVersion: BomVersion): object => {
  const document = {
    bomFormat: 'CycloneDX',
    specVersion,
    version: 1,
    metadata: {
      timestamp: content.card.at.toISOString(),
      tools: { components: [{ type: 'application', name: 'countersign' }] },
    },
    components: [modelOf(content)],
  };
  return { ...document, serialNumber: serialOf(document) };
};
