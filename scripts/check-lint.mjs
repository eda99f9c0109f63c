/**
 * Lints. Before that it plants one violation of each rule of the house in a tree of its own: a ban that no longer
 * bites would look like clean code.
 */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { ESLint } from 'eslint';

import { innocentCode, plantedCode } from './planted-code.mjs';

const root = join(import.meta.dirname, '..');

async function inspect(tree) {
  const eslint = new ESLint({ cwd: tree });
  return { eslint, results: await eslint.lintFiles(['.']) };
}

function plant(tree) {
  const configs = ['eslint.config.mjs', 'scripts/eslint-rules.mjs', 'tsconfig.json', 'package.json'];
  mkdirSync(join(tree, 'scripts'));
  for (const file of configs) copyFileSync(join(root, file), join(tree, file));
  symlinkSync(join(root, 'node_modules'), join(tree, 'node_modules'), 'junction');
  for (const [file, text] of [...plantedCode.map(([, file, text]) => [file, text]), ...innocentCode]) {
    mkdirSync(dirname(join(tree, file)), { recursive: true });
    writeFileSync(join(tree, file), text);
  }
}

async function faultsOfTheGuard() {
  const tree = mkdtempSync(join(tmpdir(), 'planted-code-'));
  try {
    plant(tree);
    const { results } = await inspect(tree);
    const found = new Map(
      results.map(({ filePath, messages }) => [filePath, messages.map(({ ruleId }) => ruleId)]),
    );
    const of = (file) => found.get(join(tree, file)) ?? ['(not linted)'];
    return [
      ...plantedCode
        .filter(([rule, file]) => !of(file).includes(rule))
        .map(([rule, file]) => `${rule} did not catch ${file}, found: ${of(file)}`),
      ...innocentCode
        .filter(([file]) => of(file).length > 0)
        .map(([file]) => `${file} is innocent, found: ${of(file)}`),
    ];
  } finally {
    rmSync(tree, { recursive: true, force: true });
  }
}

const faults = await faultsOfTheGuard();
if (faults.length > 0) {
  console.error(`The lint rules cannot be trusted:\n  ${faults.join('\n  ')}`);
  process.exitCode = 1;
}
const { eslint, results } = await inspect(root);
const formatter = await eslint.loadFormatter('stylish');
const text = await formatter.format(results);
if (text) console.log(text);
if (results.some(({ errorCount, warningCount }) => errorCount + warningCount > 0)) process.exitCode = 1;
if (!process.exitCode)
  console.log(`Clean: ${results.length} files; ${plantedCode.length} planted violations were caught.`);
