/** Prints the public API from the code into schema/schema.graphql, or with --check fails when the two differ. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { build } from './build.mjs';

const root = join(import.meta.dirname, '..');
const file = join(root, 'schema', 'schema.graphql');

await build();
const command = spawnSync(
  process.execPath,
  ['--enable-source-maps', join(root, 'dist', 'main.js'), 'schema'],
  {
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
    stdio: ['ignore', 'pipe', 'inherit'],
  },
);
const printed = command.stdout;
if (command.status !== 0 || !/\btype Query\b/.test(printed)) {
  console.error('`countersign schema` printed no schema.');
  process.exit(1);
}

if (!process.argv.includes('--check')) {
  mkdirSync(join(root, 'schema'), { recursive: true });
  writeFileSync(file, printed);
} else {
  const written = existsSync(file) ? readFileSync(file, 'utf8') : '';
  if (written !== printed) {
    const [before, after] = [written.split('\n'), printed.split('\n')];
    const line = after.findIndex((text, index) => text !== before[index]);
    console.error(
      `schema/schema.graphql is not what the code says, first in line ${line + 1}:\n` +
        `  written: ${before[line] ?? '(nothing)'}\n  code:    ${after[line] ?? '(nothing)'}\nRun \`npm run schema\` and commit the result.`,
    );
    process.exitCode = 1;
  }
}
