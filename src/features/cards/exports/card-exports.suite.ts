import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cardWith, fullCard, hostileCard } from '../../../testing/given-card.js';
import { writeCard } from './index.js';

/*
 * Exports before those who made the forms: the schema of Google's Model Card Toolkit as its package ships it, and the
 * reader of the Hugging Face Hub. Both come from PyPI (`.ci/requirements.txt`, and the toolkit without what it needs).
 */

const run = promisify(execFile);

const python = async (code: string, ...given: string[]): Promise<string> =>
  (await run('python3', ['-c', code, ...given])).stdout.trim();

const findSchema = `
import importlib.util, pathlib
spec = importlib.util.find_spec('model_card_toolkit')
print(pathlib.Path(spec.origin).parent / 'schema' / 'v0.0.2' / 'model_card.schema.json')`;

const schemaPath = await python(findSchema).catch(() => null);
const hub = await python('import huggingface_hub; print(huggingface_hub.__version__)').catch(() => null);

const cards = [
  ['an empty card', {}],
  ['a full card', fullCard],
  ['a card full of tricks', hostileCard],
] as const;

describe.skipIf(schemaPath === null)(
  `the schema of the Model Card Toolkit${schemaPath === null ? ' (model-card-toolkit is not installed)' : ''}`,
  () => {
    const check = async () => {
      const text = await readFile(schemaPath ?? '', 'utf8');
      const ajv = new Ajv({ strict: false, allErrors: true });
      addFormats.default(ajv);
      // One reference of the published schema lacks its slash and leads nowhere as it stands.
      return ajv.compile(JSON.parse(text.replaceAll('"#definitions/', '"#/definitions/')) as object);
    };

    test.each(cards)('takes %s', async (_, values) => {
      const valid = await check();
      expect([valid(JSON.parse(writeCard(cardWith(values), 'GOOGLE'))), valid.errors]).toEqual([true, null]);
    });

    test('refuses what it does not know', async () => {
      expect((await check())({ model_details: { name: 7 } })).toBe(false);
    });
  },
);

const readCard = `
import json, sys
from huggingface_hub import ModelCard
card = ModelCard.load(sys.argv[1])
results = card.data.eval_results or []
print(json.dumps({
  'license': card.data.license, 'language': card.data.language, 'name': card.data.model_name,
  'results': [[r.task_type, r.dataset_name, r.metric_type, r.metric_value, r.metric_args] for r in results],
  'text': card.text[:40]}))`;

describe.skipIf(hub === null)(
  `the reader of the Hugging Face Hub ${hub ?? '(huggingface_hub is not installed)'}`,
  () => {
    let folder: string;
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'countersign-card-'));
    });
    afterAll(() => rm(folder, { recursive: true, force: true }));

    const read = async (values: Readonly<Record<string, unknown>>): Promise<Record<string, unknown>> => {
      const path = join(folder, 'README.md');
      await writeFile(path, writeCard(cardWith(values), 'HUGGING_FACE'));
      return JSON.parse(await python(readCard, path)) as Record<string, unknown>;
    };

    test('finds the licence, the name and every metric with n and interval', async () => {
      const found = await read(fullCard);

      expect(found).toMatchObject({ license: 'apache-2.0', name: 'income-routing, version 7' });
      expect(found['results']).toContainEqual([
        'tabular-classification',
        'heldout',
        'accuracy',
        0.85,
        { n: 12211, low: 0.84, high: 0.86 },
      ]);
      expect(found['results']).toHaveLength(5);
    });

    test('reads languages that look like something else as the texts that they are', async () => {
      const found = await read(hostileCard);

      expect(found['language']).toEqual(['no', 'on', '0o17', '1:30', 'null']);
      expect(found['license']).toBe('other');
    });

    test('reads a card of which nothing is known', async () => {
      expect(await read({})).toMatchObject({ license: null, results: [] });
    });
  },
);
