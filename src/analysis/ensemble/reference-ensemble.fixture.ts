import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { createEnsemble, type Ensemble } from './ensemble.js';
import { loadMember } from './load-member.js';

interface ManifestInput {
  readonly name: string;
  readonly columns: readonly [number, number];
  readonly categories?: readonly string[];
}

export interface Manifest {
  readonly inputs: readonly ManifestInput[];
  readonly encodedWidth: number;
  readonly members: readonly {
    readonly name: string;
    readonly file: string;
    readonly weight: number;
    readonly input: string;
    readonly output: string;
  }[];
  readonly calibration: { readonly method: 'platt-logit'; readonly a: number; readonly b: number };
}

export interface GoldenExample {
  readonly features: readonly number[];
  readonly members: Readonly<Record<string, number>>;
  readonly vote: number;
  readonly probability: number;
  readonly shapley?: Readonly<
    Record<
      'vote' | 'probability',
      { readonly base: number; readonly values: Readonly<Record<string, number>> }
    >
  >;
}

export interface ReferenceEnsemble {
  readonly manifest: Manifest;
  readonly ensemble: Ensemble;
  readonly background: Float32Array;
  readonly golden: readonly GoldenExample[];
  readonly bytesOf: (file: string) => Buffer;
}

/** The ensemble that ships with the product, read from its manifest. */
export function readReferenceEnsemble(version: string): ReferenceEnsemble {
  const folder = join(process.cwd(), 'models/income-routing', version);
  const bytesOf = (file: string): Buffer => readFileSync(join(folder, file));
  const manifest = JSON.parse(bytesOf('manifest.json').toString()) as Manifest;
  const golden = JSON.parse(bytesOf('golden.json').toString()) as { examples: GoldenExample[] };
  const ensemble = createEnsemble({
    members: manifest.members.map(({ file, weight }) => ({ member: loadMember(bytesOf(file)), weight })),
    calibration: manifest.calibration,
    groups: manifest.inputs,
  });
  const background = encode(manifest, bytesOf('background.csv').toString());
  return { manifest, ensemble, background, golden: golden.examples, bytesOf };
}

function encode(manifest: Manifest, csv: string): Float32Array {
  const [header, ...lines] = csv.trim().split(/\r?\n/);
  const names = (header ?? '').split(',');
  const matrix = new Float32Array(lines.length * manifest.encodedWidth);
  lines.forEach((line, row) => {
    const cells = line.split(',');
    for (const { name, columns, categories } of manifest.inputs) {
      const cell = cells[names.indexOf(name)] ?? '';
      const start = row * manifest.encodedWidth + columns[0];
      if (categories === undefined) matrix[start] = Number(cell);
      else matrix[start + categories.indexOf(cell)] = 1;
    }
  });
  return matrix;
}
