/**
 * Checks who imports whom (.dependency-cruiser.cjs). A guard that sees nothing passes everything, so this first
 * plants one violation of each rule in a tree of its own, and trusts the guard only when it finds them all, finds
 * nothing in what is allowed, and has read every file.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, globSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, posix } from 'node:path';

import { allowed, packages, planted } from './planted-boundaries.mjs';

const root = join(import.meta.dirname, '..');
const configFile = join(root, '.dependency-cruiser.cjs');
const cruiser = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs');
const { forbidden } = createRequire(import.meta.url)(configFile);

/** Runs dependency-cruiser over a tree and names every breach. */
function inspect(tree) {
  const folders = ['src', 'console/src'].filter((folder) => existsSync(join(tree, folder)));
  const json = execFileSync(
    process.execPath,
    [cruiser, '--config', configFile, '--output-type', 'json', ...folders],
    {
      cwd: tree,
      encoding: 'utf8',
      maxBuffer: 2 ** 30,
    },
  );
  const { modules, summary } = JSON.parse(json);
  const seen = new Set(modules.map(({ source }) => source));
  const unread = globSync('src/**/*.ts', { cwd: tree }).filter(
    (file) => !seen.has(file.replaceAll('\\', '/')),
  );
  return {
    unread,
    breaches: summary.violations.map(({ rule, from, to }) => ({ rule: rule.name, from, to })),
  };
}

/** The order of features makes a rule per pair; so does its violation. */
const plantedOrder = forbidden.flatMap(({ name }) => {
  const [, earlier, later] = /^(.+)-comes-before-(.+)$/.exec(name) ?? [];
  return earlier === undefined
    ? []
    : [[name, `src/features/${earlier}/before-${later}.ts`, `../${later}/index.js`]];
});

function write(path, text) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

function plant(tree, imports) {
  cpSync(join(root, 'tsconfig.json'), join(tree, 'tsconfig.json'));
  const versions = (names) => Object.fromEntries(names.map((name) => [name, '1.0.0']));
  const { dependencies, devDependencies } = packages;
  write(
    join(tree, 'package.json'),
    JSON.stringify({
      type: 'module',
      dependencies: versions(dependencies),
      devDependencies: versions(devDependencies),
    }),
  );
  for (const name of [...dependencies, ...devDependencies]) {
    write(
      join(tree, 'node_modules', name, 'package.json'),
      JSON.stringify({ name, version: '1.0.0', main: 'index.js' }),
    );
    write(join(tree, 'node_modules', name, 'index.js'), 'exports.planted = 1;\n');
  }
  for (const [, file, specifier] of imports) {
    write(join(tree, file), `import { planted } from '${specifier}';\nexport const copy = planted;\n`);
  }
  for (const [, file, specifier] of imports.filter(([, , specifier]) => specifier.startsWith('.'))) {
    const target = join(tree, posix.join(posix.dirname(file), specifier).replace(/\.js$/, '.ts'));
    if (!existsSync(target)) write(target, 'export const planted = 1;\n');
  }
}

/** What is wrong with the guard itself; nothing, it is to be hoped. */
function faultsOfTheGuard() {
  const violations = [...planted, ...plantedOrder];
  const tree = mkdtempSync(join(tmpdir(), 'planted-boundaries-'));
  try {
    plant(tree, [...violations, ...allowed.map(([file, specifier]) => [null, file, specifier])]);
    const { unread, breaches } = inspect(tree);
    const has = (rule, file) => breaches.some((breach) => breach.from === file && breach.rule === rule);
    const named = new Set(violations.map(([rule]) => rule));
    const innocent = new Set(allowed.map(([file]) => file));
    return [
      ...unread.map((file) => `${file} was not read at all`),
      ...forbidden
        .filter(({ name }) => !named.has(name))
        .map(({ name }) => `no violation of ${name} is planted`),
      ...violations
        .filter(([rule, file]) => !has(rule, file))
        .map(([rule, file]) => `${rule} did not catch ${file}`),
      ...breaches
        .filter(({ from }) => innocent.has(from))
        .map(({ rule, from }) => `${rule} forbids ${from}, which is allowed`),
    ];
  } finally {
    rmSync(tree, { recursive: true, force: true });
  }
}

function report(title, lines) {
  if (lines.length === 0) return;
  const rest = lines.length > 20 ? `\n  and ${lines.length - 20} more` : '';
  console.error(`${title}\n  ${lines.slice(0, 20).join('\n  ')}${rest}`);
  process.exitCode = 1;
}

report('The boundary rules cannot be trusted:', faultsOfTheGuard());
const { unread, breaches } = inspect(root);
const whys = new Map(forbidden.map(({ name, comment }) => [name, comment]));
report('Not read by dependency-cruiser:', unread);
report(
  'Imports that cross a boundary:',
  breaches.map(({ rule, from, to }) => `${from} → ${to}\n    ${rule}: ${whys.get(rule)}`),
);
if (!process.exitCode)
  console.log(`Boundaries hold: ${forbidden.length} rules, each caught its planted violation.`);
