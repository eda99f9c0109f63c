import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { isSupportedSpdxId } from '@cyclonedx/cyclonedx-library/SPDX';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { cardWith, fullCard, hostileCard } from '../../../testing/given-card.js';
import { writeCard } from './index.js';
import { hubLicence, knownLicences, spdxIdentifier } from './licences.js';

const library = createRequire(import.meta.url).resolve('@cyclonedx/cyclonedx-library/package.json');
const schemas = join(dirname(library), 'res', 'schema');
const schema = (name: string): object =>
  JSON.parse(readFileSync(join(schemas, `${name}.SNAPSHOT.schema.json`), 'utf8')) as object;

const validator = (version: '1.6' | '1.7'): ((document: unknown) => string[]) => {
  const ajv = new Ajv({ strict: false, allErrors: true });
  addFormats.default(ajv);
  // Formats that the package does not bring: what they forbid is what matters in an address.
  ajv.addFormat('iri-reference', /^[^\s<>"{}|\\^`]*$/);
  ajv.addFormat('idn-email', /^[^\s@]+@[^\s@]+$/);
  for (const name of ['spdx', 'jsf-0.82', 'cryptography-defs'])
    ajv.addSchema(schema(name), `http://cyclonedx.org/schema/${name}.SNAPSHOT.schema.json`);
  const check = ajv.compile(schema(`bom-${version}`));
  return (document) =>
    check(document) ? [] : (check.errors ?? []).map((one) => `${one.instancePath} ${one.message ?? ''}`);
};

const frontMatterOf = (markdown: string): Record<string, unknown> => {
  const [, text = ''] = /^---\n([\s\S]*?)\n---\n/.exec(markdown) ?? [];
  return parse(text, { version: '1.1' }) as Record<string, unknown>;
};

const anyText = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 });

describe.each([
  ['1.6', 'CYCLONEDX_1_6'],
  ['1.7', 'CYCLONEDX_1_7'],
] as const)('CycloneDX %s', (version, format) => {
  const faults = validator(version);
  const bom = (values: Readonly<Record<string, unknown>>) =>
    JSON.parse(writeCard(cardWith(values), format)) as {
      specVersion: string;
      serialNumber: string;
      components: { modelCard: Record<string, Record<string, unknown>>; [key: string]: unknown }[];
    };

  test.each([
    ['an empty card', {}],
    ['a full card', fullCard],
    ['a card full of tricks', hostileCard],
  ])('%s holds before the official schema', (_, values) => {
    expect(faults(bom(values))).toEqual([]);
  });

  test('any text in any place holds before the official schema', () => {
    const values = fc.record({
      ...{ modelName: anyText, description: anyText, task: anyText, limitations: anyText, provider: anyText },
      users: fc.array(anyText, { minLength: 1, maxLength: 3 }),
      licence: fc.oneof(fc.record({ identifier: anyText }), fc.record({ text: anyText })),
    });
    fc.assert(
      fc.property(values, (given) => {
        expect(faults(bom({ ...fullCard, ...given }))).toEqual([]);
      }),
      { numRuns: 30 },
    );
  });

  test('the schema is asked indeed: what it does not know is refused', () => {
    expect(faults({ bomFormat: 'CycloneDX', specVersion: version, components: [{ type: 'x' }] })).not.toEqual(
      [],
    );
  });

  test('holds hashes, licences, pedigree, metrics with intervals and what nobody knows', () => {
    const document = bom(fullCard);
    const [model] = document.components;
    expect(document.specVersion).toBe(version);
    expect(model).toMatchObject({
      type: 'machine-learning-model',
      hashes: [{ alg: 'SHA-256', content: 'd'.repeat(64) }],
      licenses: [{ license: { id: 'Apache-2.0' } }],
      pedigree: { ancestors: [{ version: '6' }], commits: [{ uid: 'abc123' }], notes: 'Digest: from e to d' },
      components: [{ name: 'model.onnx', hashes: [{ content: 'b'.repeat(64) }] }],
    });
    expect(model?.modelCard['quantitativeAnalysis']?.['performanceMetrics']).toContainEqual({
      type: 'selectionRate (n = 4000)',
      value: '0.1',
      slice: 'sex: Female',
      confidenceInterval: { lowerBound: '0.09000000000000001', upperBound: '0.11' },
    });
    expect(model?.['properties']).toContainEqual({ name: 'countersign:unknown', value: 'Monitoring plan' });
    expect(bom(fullCard).serialNumber).toBe(document.serialNumber);
  });

  test('an unknown value is absent, never guessed', () => {
    const [model] = bom({}).components;
    expect(Object.keys(model?.modelCard['modelParameters'] ?? {})).toEqual([]);
    expect(model).not.toHaveProperty('licenses');
  });
});

describe('the README', () => {
  const write = (values: Readonly<Record<string, unknown>>): string =>
    writeCard(cardWith(values), 'HUGGING_FACE');

  test('begins with metadata whose index holds metrics with n and interval', async () => {
    const markdown = write(fullCard);
    await expect(markdown.slice(0, markdown.indexOf('\n---\n') + 5)).toMatchFileSnapshot(
      'golden/front-matter.golden',
    );
    expect(frontMatterOf(markdown)).toMatchObject({
      license: 'apache-2.0',
      library_name: 'onnx',
      metrics: ['accuracy', 'roc_auc', 'selection_rate', 'heldout_auc'],
    });
  });

  test('keeps hostile text a text, in the metadata and below it', () => {
    const markdown = write(hostileCard);
    const data = frontMatterOf(markdown);
    expect(data['language']).toEqual(['no', 'on', '0o17', '1:30', 'null']);
    expect(data).toMatchObject({ license: 'other', license_name: 'our-own-licence' });
    const body = markdown.slice(markdown.indexOf('\n---\n') + 5);
    expect(body).not.toMatch(/(?<!\\)<script|^# heading|^---$|!\[|\]\(javascript/m);
    expect(body.match(/^# /gm)).toHaveLength(1);
    expect(body).not.toContain('New section\n=');
  });

  test('says of everything that nobody knows that more information is needed', () => {
    expect(write({}).match(/\[More Information Needed\]/g)?.length).toBeGreaterThan(70);
    expect(frontMatterOf(write({}))).toEqual({ tags: ['countersign'] });
  });
});

test('the Google model card holds values as the schema wants them, and names what is unknown', async () => {
  await expect(writeCard(cardWith(fullCard), 'GOOGLE')).toMatchFileSnapshot('golden/model-card.golden');
});

test('every licence that is known here is one of SPDX', () => {
  expect(knownLicences.filter((id) => !isSupportedSpdxId(id))).toEqual([]);
});

test('licences are named as each form names them, and an unknown one is not made into a known one', () => {
  expect([spdxIdentifier('apache-2.0'), hubLicence('GPL-3.0-only'), spdxIdentifier('Ours')]).toEqual([
    'Apache-2.0',
    'gpl-3.0',
    null,
  ]);
});
