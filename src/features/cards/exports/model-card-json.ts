import { formatOf, present, titleOf, type CardContent, type Measure } from './card-content.js';
import { safeAddress } from './escape.js';

/* The schema v0.0.2 of Google's Model Card Toolkit. What is unknown is left out there and named in the documentation. */

const licences = ({ known }: CardContent): object[] => {
  const licence = known.licence;
  if (!licence) return [];
  return ['text' in licence ? { custom_text: licence.text } : { identifier: licence.identifier }];
};

const owners = ({ known, text }: CardContent): object[] => {
  const contact = text('contact');
  return (known.owners ?? []).map(({ name, contact: own }) => present({ name, contact: own ?? contact }));
};

const versionOf = ({ known, text }: CardContent): object => {
  const changes = known.changesSinceApproved?.map(({ label, change }) => `${label}: ${change}`);
  return present({
    name: String(known.version ?? ''),
    date: known.registered?.at.slice(0, 10),
    diff: changes?.join('\n') ?? text('description'),
  });
};

const described = (content: CardContent): string => {
  const { card, text, unknown } = content;
  const parts = [
    text('modelDescription'),
    text('architecture'),
    text('instructionsForUse'),
    `Card revision ${String(card.revision)}, as known at ${card.at.toISOString()}; digest ${text('digest') ?? 'unknown'}.`,
    unknown.length === 0 ? null : `Unknown: ${unknown.join(', ')}.`,
  ];
  return parts.filter((one) => one !== null).join('\n\n');
};

/** Data sets of the lineage, with their sheets; sheets of data sets that were not registered come after. */
const data = ({ known }: CardContent): object[] => {
  const sheets = known.dataSheets ?? [];
  const registered = (known.datasets ?? []).map(({ name, sha256, role, rows, source, licence }) => {
    const sheet = sheets.find(({ dataset }) => dataset === name);
    return { name, sheet, facts: present({ role, sha256, rows, source, licence }) };
  });
  const others = sheets
    .filter(({ dataset }) => !registered.some(({ name }) => name === dataset))
    .map((sheet) => ({ name: sheet.dataset, sheet, facts: {} }));
  return [...registered, ...others].map(({ name, sheet, facts }) => {
    const { sensitive, url, dataset: _, ...said } = sheet ?? { dataset: name };
    const description = Object.entries({ ...facts, ...said })
      .map(([key, inner]) => `${key}: ${String(inner)}`)
      .join('; ');
    return present({
      name,
      link: url === undefined ? null : safeAddress(url),
      sensitive: sensitive === undefined ? null : { sensitive_data: sensitive },
      description,
    });
  });
};

/** The schema has no place for n: it stands in the name of the metric. Numbers are texts there. */
const metricOf = ({ type, value, low, high, n, slice }: Measure): object =>
  present({
    type: n === null ? type : `${type} (n = ${String(n)})`,
    value: String(value),
    slice,
    confidence_interval:
      low === null || high === null ? null : { lower_bound: String(low), upper_bound: String(high) },
  });

const considerations = ({ known, text }: CardContent): object => {
  const list = (names: readonly string[]): object[] =>
    names.flatMap((name) => {
      const description = text(name);
      return description === null ? [] : [{ description }];
    });
  const ethical = text('ethicalConsiderations');
  return present({
    users: (known.users ?? []).map((description) => ({ description })),
    use_cases: list(['intendedUse']),
    limitations: list(['limitations', 'outOfScopeUse']),
    tradeoffs: (known.tradeoffs ?? []).map((description) => ({ description })),
    ethical_considerations: [
      ...(ethical === null ? [] : [{ name: ethical }]),
      ...(known.risks ?? []).map(({ name, mitigation }) =>
        present({ name, mitigation_strategy: mitigation }),
      ),
    ],
  });
};

/** The card as JSON of the Model Card Toolkit. */
export const toModelCardJson = (content: CardContent): object => {
  const { known, text } = content;
  const signature = known.signature;
  return {
    schema_version: '0.0.2',
    model_details: present({
      name: titleOf(content),
      overview: text('description') ?? text('modelDescription'),
      documentation: described(content),
      owners: owners(content),
      version: versionOf(content),
      licenses: licences(content),
      references: (known.links ?? []).map(({ url }) => ({ reference: safeAddress(url) })),
      citations: known.citations ?? [],
    }),
    model_parameters: present({
      model_architecture: text('architecture') ?? text('architectureFamily'),
      data: data(content),
      input_format: signature?.inputs.map(formatOf).join('\n') ?? text('signature'),
      output_format: signature?.outputs.map(formatOf).join('\n'),
    }),
    quantitative_analysis: { performance_metrics: content.measures.map(metricOf) },
    considerations: considerations(content),
  };
};
