/**
 * Turns the TypeScript of src/, migrations/ and bench/ into dist/, file by file. Types are checked elsewhere
 * (`npm run check:types`), so that this takes a second, and nothing when nothing has changed.
 *
 *   src/main.ts → dist/main.js      migrations/x.ts → dist/migrations/x.js      bench/x.ts → dist/bench/x.js
 */
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');
const stampFile = join(dist, '.stamp');

const isTest = (file) => /\.(test|suite)\.ts$/.test(file) || file.startsWith('src/testing/');
const isTypeScript = (file) => file.endsWith('.ts') && !file.endsWith('.d.ts');
const isAsset = (file) => !/\.(ts|md)$/.test(file) && statSync(join(root, file)).isFile();
const targetOf = (file) => file.replace(/^src\//, '').replace(/\.ts$/, '.js');

function sources() {
  const files = globSync(['src/**/*', 'migrations/**/*.ts', 'bench/**/*.ts'], { cwd: root })
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => !isTest(file))
    .sort();
  return { code: files.filter(isTypeScript), assets: files.filter(isAsset) };
}

/** Changes whenever a source, or what decides how it is built, changes. */
function stampOf(files) {
  const hash = createHash('sha256');
  for (const file of [...files, 'scripts/build.mjs', 'tsconfig.json', 'package-lock.json']) {
    const { mtimeMs, size } = statSync(join(root, file));
    hash.update(`${file} ${mtimeMs} ${size}\n`);
  }
  return hash.digest('hex');
}

/** Replaces a file in one step and only when it differs, so that a running server never reads half of it. */
function replace(path, contents) {
  if (existsSync(path) && readFileSync(path).equals(Buffer.from(contents))) return;
  mkdirSync(dirname(path), { recursive: true });
  const next = `${path}.${process.pid}.next`;
  writeFileSync(next, contents);
  renameSync(next, path);
}

/** `src` is one step nearer to its neighbours in dist than it is here: ../migrations/x.js becomes ./migrations/x.js. */
function moveImports(text, file) {
  if (!file.startsWith('src/')) return text.replaceAll(/(['"](?:\.\.\/)+)src\//g, '$1');
  const depth = file.split('/').length - 2;
  const here = `${'../'.repeat(depth + 1)}migrations/`;
  const there = `${depth === 0 ? './' : '../'.repeat(depth)}migrations/`;
  return text.replaceAll(`"${here}`, `"${there}`).replaceAll(`'${here}`, `'${there}`);
}

async function transpile(file, transform, tsconfigRaw) {
  const target = join(dist, targetOf(file));
  const { code, map } = await transform(readFileSync(join(root, file), 'utf8'), {
    loader: 'ts',
    format: 'esm',
    target: 'node22',
    sourcemap: true,
    sourcefile: join(root, file),
    sourcesContent: false,
    tsconfigRaw,
  });
  const name = target.slice(target.lastIndexOf('/') + 1);
  replace(`${target}.map`, map);
  replace(target, `${moveImports(code, file)}//# sourceMappingURL=${name}.map\n`);
}

function removeStale(kept) {
  for (const file of globSync('**/*.{js,map}', { cwd: dist })) {
    if (!kept.has(file.replaceAll('\\', '/').replace(/\.map$/, ''))) rmSync(join(dist, file));
  }
}

/** Builds what has changed and says so; returns whether anything was done. */
export async function build() {
  const { code, assets } = sources();
  if (code.length === 0) throw new Error('There is nothing to build: src/ holds no TypeScript.');
  const stamp = stampOf([...code, ...assets]);
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return false;

  const started = Date.now();
  process.stderr.write(`Building ${code.length} files … `);
  const { transform } = await import('esbuild');
  const { compilerOptions } = JSON.parse(readFileSync(join(root, 'tsconfig.json'), 'utf8'));
  await Promise.all(code.map((file) => transpile(file, transform, { compilerOptions })));
  for (const file of assets) {
    mkdirSync(dirname(join(dist, targetOf(file))), { recursive: true });
    copyFileSync(join(root, file), join(dist, targetOf(file)));
  }
  removeStale(new Set(code.map(targetOf)));
  writeFileSync(stampFile, stamp);
  process.stderr.write(`done in ${((Date.now() - started) / 1000).toFixed(1)} s\n`);
  return true;
}

if (realpathSync(process.argv[1]) === import.meta.filename) await build();
