/**
 * Compiles wasm/*.ts (AssemblyScript) into the modules that the product loads, which hold the WebAssembly as base64.
 * They are checked in, so that installing needs no compiler; a test compiles again and compares.
 *
 *   node scripts/build-wasm.mjs
 */
import { mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const root = join(import.meta.dirname, '..');

/** What is compiled, and where it goes. */
export const kernels = [
  { source: 'wasm/attribution.ts', target: 'src/analysis/attribution/kernels/row-kernel-bytes.ts' },
  { source: 'wasm/game.ts', target: 'src/analysis/attribution/kernels/game-kernel-bytes.ts' },
];

const flags = [
  ...['kernel.ts', '--outFile', 'kernel.wasm', '-O3', '--converge', '--noAssert', '--runtime', 'stub'],
  ...['--importMemory', '--sharedMemory', '--initialMemory', '1', '--maximumMemory', '65536'],
  ...['--enable', 'simd', '--enable', 'threads', '--use', 'abort='],
];

/** The TypeScript module that holds a source, compiled. */
export async function compile(source) {
  const { main } = await import('assemblyscript/asc');
  let binary = new Uint8Array(0);
  const { error, stderr } = await main(flags, {
    readFile: (name) => (name === 'kernel.ts' ? source : null),
    writeFile: (name, contents) => {
      if (name === 'kernel.wasm') binary = contents;
    },
    listFiles: () => [],
  });
  if (error) throw new Error(`${error.message}\n${stderr.toString()}`);
  const lines =
    Buffer.from(binary)
      .toString('base64')
      .match(/.{1,96}/g) ?? [];
  return [
    '/* Compiled by scripts/build-wasm.mjs from wasm/. Not to be edited: a test compiles again and compares. */',
    '',
    '/** A WebAssembly module as base64. */',
    'export const WASM_BASE64 = [',
    ...lines.map((line) => `  '${line}',`),
    "].join('');",
    '',
  ].join('\n');
}

/** Compiles the kernel of that source file. */
export const compileKernel = ({ source }) => compile(readFileSync(join(root, source), 'utf8'));

async function buildAll() {
  for (const kernel of kernels) {
    const target = join(root, kernel.target);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, await compileKernel(kernel));
    console.log(`${kernel.source} → ${kernel.target}`);
  }
}

if (realpathSync(process.argv[1]) === import.meta.filename) await buildAll();
