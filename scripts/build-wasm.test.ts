import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

interface Kernel {
  readonly source: string;
  readonly target: string;
}

const root = join(import.meta.dirname, '..');
// A script of this repository, without types.
const { compileKernel, kernels } = (await import(join(root, 'scripts/build-wasm.mjs'))) as {
  readonly kernels: readonly Kernel[];
  readonly compileKernel: (kernel: Kernel) => Promise<string>;
};

test.each(kernels)(
  '$source compiles to the bytes that $target holds',
  async (kernel) => {
    const wanted = readFileSync(join(root, kernel.target), 'utf8');
    expect(await compileKernel(kernel)).toBe(wanted);
  },
  60_000,
);
