import { stringify } from 'yaml';
import type { CardFieldView } from '../read-card.js';
import { notKnown, present, titleOf, type CardContent, type Measure } from './card-content.js';
import { inline, link, paragraphs } from './escape.js';
import { hubLicence } from './licences.js';

/* The form of the Hugging Face Hub: metadata as YAML between two lines of dashes, then the card for people. */

const missing = '[More Information Needed]';

const metricIds: Readonly<Record<string, string>> = {
  areaUnderCurve: 'roc_auc',
  brier: 'brier_score',
  truePositiveRate: 'recall',
};

const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

const metricId = (type: string): string => metricIds[type] ?? snake(type);

const slug = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '') || notKnown;

const metricOf = ({ type, label, value, low, high, n, slice }: Measure): object => ({
  type: metricId(type),
  value,
  name: slice === null ? label : `${label} (${slice})`,
  ...(n === null && low === null ? {} : { args: present({ n, low, high, slice }) }),
});

const modelIndex = (content: CardContent): object[] => {
  if (content.measures.length === 0) return [];
  const task = content.text('task') ?? notKnown;
  const dataset = content.known.performance?.dataset;
  const over = dataset
    ? {
        type: slug(dataset.name),
        name: dataset.name,
        args: present({ sha256: dataset.sha256, rows: dataset.rows }),
      }
    : { type: notKnown, name: notKnown };
  const measured = content.measures.filter(({ n }) => n !== null);
  const stated = content.measures.filter(({ n }) => n === null);
  const results = [
    { over, metrics: measured },
    { over: { type: notKnown, name: notKnown }, metrics: stated },
  ];
  return [
    {
      name: titleOf(content),
      results: results
        .filter(({ metrics }) => metrics.length > 0)
        .map(({ over: on, metrics }) => ({
          task: { type: slug(task), name: task },
          dataset: on,
          metrics: metrics.map(metricOf),
        })),
    },
  ];
};

const licenceOf = ({ known }: CardContent): Record<string, string> => {
  const licence = known.licence;
  if (!licence) return {};
  if ('text' in licence) return { license: 'other', license_name: 'custom' };
  const id = hubLicence(licence.identifier);
  return id === null ? { license: 'other', license_name: slug(licence.identifier) } : { license: id };
};

const frontMatter = (content: CardContent): string => {
  const { known, text, measures } = content;
  const task = text('task');
  const names = (known.datasets ?? []).map(({ name }) => name);
  const metrics = [...new Set(measures.map(({ type }) => metricId(type)))];
  const data = present({
    language: known.languages,
    ...licenceOf(content),
    library_name: text('modelKind') === 'ONNX' ? 'onnx' : null,
    tags: ['countersign', ...(task === null ? [] : [slug(task)])],
    datasets: [...new Set(names)],
    metrics,
    'model-index': modelIndex(content),
  });
  // Quoted and for YAML 1.1, which the readers of these files speak: `no` stays a text there.
  return stringify(data, {
    version: '1.1',
    defaultStringType: 'QUOTE_DOUBLE',
    defaultKeyType: 'PLAIN',
    lineWidth: 0,
  });
};

/** The headings of the Hub's template, and the fields that answer them. */
const template: readonly (readonly [string, readonly string[]])[] = [
  [
    'Model Details',
    [
      'description',
      'modelDescription',
      'provider',
      'owners',
      'learningApproach',
      'languages',
      'licence',
      'parent',
      'previousVersion',
      'changesSinceApproved',
      'digest',
    ],
  ],
  ['Model Sources', ['links', 'references', 'codeCommit', 'run']],
  ['Uses', ['intendedUse', 'users', 'peopleAffected', 'useCase']],
  ['Out-of-Scope Use', ['outOfScopeUse']],
  [
    'Bias, Risks, and Limitations',
    ['limitations', 'ethicalConsiderations', 'risks', 'tradeoffs', 'fairnessAssessments', 'riskAssessment'],
  ],
  ['How to Get Started with the Model', ['instructionsForUse', 'signature']],
  ['Training Details', ['datasets', 'dataSheets', 'params', 'developmentMethods']],
  ['Evaluation', ['performance', 'performanceBySlice', 'fairness', 'impactRatios', 'metricChoice']],
  ['Model Examination', ['attribution']],
  ['Environmental Impact', ['energy']],
  [
    'Technical Specifications',
    [
      'task',
      'architectureFamily',
      'architecture',
      'designChoices',
      'computeResources',
      'software',
      'hardware',
    ],
  ],
  [
    'Human Oversight and Approvals',
    ['humanOversight', 'approvals', 'openFindings', 'monitoringPlan', 'monitoringThresholds'],
  ],
  ['Citation', ['citations']],
  ['Model Card Contact', ['contact']],
];

const scalar = (value: unknown): string => {
  if (typeof value === 'string') return /^https?:\/\//.test(value) ? link(value) : inline(value);
  return inline(JSON.stringify(value));
};

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const cells = (row: Readonly<Record<string, unknown>>): string =>
  Object.entries(row)
    .filter(([, value]) => value !== null && value !== undefined)
    .map(([name, value]) => `${inline(name)}: ${scalar(value)}`)
    .join('; ');

/** Rows of the same plain columns are a table; everything else is a list. */
const tableOf = (rows: readonly Readonly<Record<string, unknown>>[]): string | null => {
  const columns = Object.keys(rows[0] ?? {});
  const isFlat = rows.every((row) =>
    Object.values(row).every((value) => typeof value !== 'object' || value === null),
  );
  if (rows.length < 3 || columns.length < 3 || !isFlat) return null;
  const line = (values: readonly string[]): string => `| ${values.join(' | ')} |`;
  return [
    line(columns.map(inline)),
    line(columns.map(() => '---')),
    ...rows.map((row) => line(columns.map((column) => (row[column] === null ? '' : scalar(row[column]))))),
  ].join('\n');
};

const listOf = (values: readonly unknown[]): string => {
  if (values.length === 0) return 'None.';
  const rows = values.filter(isRecord);
  const table = rows.length === values.length ? tableOf(rows) : null;
  return table ?? values.map((one) => `- ${isRecord(one) ? cells(one) : scalar(one)}`).join('\n');
};

const blockOf = (value: unknown): string => {
  if (typeof value === 'string') return paragraphs(value);
  if (Array.isArray(value)) return listOf(value);
  if (!isRecord(value)) return scalar(value);
  const lists = Object.entries(value).filter(([, inner]) => Array.isArray(inner) && inner.some(isRecord));
  const rest = Object.entries(value).filter(([name]) => !lists.some(([other]) => other === name));
  const plain = rest
    .filter(([, inner]) => inner !== null)
    .map(([name, inner]) => `- ${inline(name)}: ${isRecord(inner) ? cells(inner) : scalar(inner)}`)
    .join('\n');
  const tables = lists.map(([name, inner]) => `${inline(name)}:\n\n${blockOf(inner)}`);
  return [plain, ...tables].filter((one) => one !== '').join('\n\n');
};

const sourceLine = ({ source, by, byName, at, evidence }: CardFieldView): string => {
  const who = byName ?? by;
  const said = source === 'ATTESTED' ? `Attested by ${who ?? notKnown}` : 'Known to the registry';
  const rest = evidence === null ? '' : `, evidence ${evidence}`;
  return `*${inline(`${said}${at === null ? '' : `, ${at}`}${rest}`)}*`;
};

const fieldBlock = (field: CardFieldView): string =>
  field.source === 'UNKNOWN'
    ? `### ${inline(field.label)}\n\n${missing}`
    : `### ${inline(field.label)}\n\n${blockOf(field.value)}\n\n${sourceLine(field)}`;

const sectionBlock = (heading: string, fields: readonly CardFieldView[]): string =>
  [`## ${heading}`, ...fields.map(fieldBlock)].join('\n\n');

/** The card as a README of the Hugging Face Hub. */
export const toMarkdown = (content: CardContent): string => {
  const placed = new Set(template.flatMap(([, names]) => names));
  const sections = template.map(([heading, names]) =>
    sectionBlock(
      heading,
      names.flatMap((name) => content.field(name) ?? []),
    ),
  );
  const others = content.card.fields.filter(({ name }) => !placed.has(name));
  const use = `Card revision ${String(content.card.revision)}, as known at ${content.card.at.toISOString()}.`;
  const head = `---\n${frontMatter(content)}---\n\n# ${inline(titleOf(content))}\n\n${inline(use)}`;
  return `${[head, ...sections, sectionBlock('More Information', others)].join('\n\n')}\n`;
};
