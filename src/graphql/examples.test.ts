import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { parse, specifiedRules, validate } from 'graphql';
import { installationRoot } from '../kernel/root.js';
import { testApp, type TestApp } from '../testing/test-app.js';
import { operationLimits } from './limits.js';

let app: TestApp;
beforeAll(async () => {
  app = await testApp();
});

const page = readFileSync(join(installationRoot, 'docs', 'graphql.md'), 'utf8');

const examplesOf = (text: string): string[] =>
  [...text.matchAll(/```graphql\n([\s\S]*?)```/g)].map(([, example = '']) => example);

const pages = globSync(['README.md', 'docs/**/*.md'], { cwd: installationRoot })
  .map((name) => ({ name, examples: examplesOf(readFileSync(join(installationRoot, name), 'utf8')) }))
  .filter(({ examples }) => examples.length > 0);

test('examples are found where they are', () => {
  expect(pages.map(({ name }) => name.replaceAll('\\', '/'))).toEqual(
    expect.arrayContaining(['docs/quickstart.md', 'docs/graphql.md', 'docs/decisions.md']),
  );
});

test.each(pages)('every example of $name can be sent as it stands', ({ examples }) => {
  for (const example of examples) {
    expect([example, validate(app.schema, parse(example), specifiedRules)]).toEqual([example, []]);
  }
});

test('docs/graphql.md names every limit with its value', () => {
  for (const [name, value] of Object.entries(operationLimits)) {
    const shown = name === 'bytes' ? '256 KiB' : value.toLocaleString('en');
    expect(page, name).toMatch(new RegExp(`\\| +${shown} \\|`));
    if (name !== 'tokens') expect(page).toContain(`graphql-${name}`);
  }
});
