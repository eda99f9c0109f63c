import { z } from 'zod';
import { storageFault } from '../../kernel/input.js';
import { foldName, pathFault } from './names.js';

/** Where the manifest of an ensemble stands among the artifacts of its version. */
export const manifestName = 'manifest.json';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const file = z.object({ file: z.string().min(1).max(300), sha256 });
const input = z.looseObject({
  name: z.string().min(1).max(200),
  kind: z.enum(['numeric', 'categorical']),
  columns: z.tuple([z.int().min(0), z.int().min(1)]),
});

/** The part of `models/manifest.schema.json` that intake holds a version to. */
export const ensembleManifest = z.looseObject({
  schema: z.literal('countersign.ensemble/1'),
  name: z.string().min(1),
  version: z.string().min(1),
  inputs: z.array(input).min(1).max(2000),
  encodedWidth: z.int().min(1),
  excluded: z.array(z.object({ name: z.string().min(1), reason: z.string().min(1) })),
  members: z
    .array(
      file.extend({
        name: z.string(),
        family: z.string().max(100).optional(),
        bytes: z.int(),
        weight: z.number().min(0).max(1),
        input: z.string(),
        output: z.string(),
      }),
    )
    .min(1)
    .max(100),
  background: file.extend({ rows: z.int().min(1) }),
  golden: file.extend({ rows: z.int().min(1) }).optional(),
  data: z.array(
    file.extend({
      rows: z.int().min(1),
      role: z.string(),
      source: z.string().max(1000).optional(),
      licence: z.string().max(100).optional(),
    }),
  ),
  licence: z.object({ model: z.string().max(100).optional() }).optional(),
});

/** A manifest of an ensemble, as far as intake reads it. */
export type EnsembleManifest = z.output<typeof ensembleManifest>;

/** Reads a manifest, or says in what it is none. */
export const readEnsembleManifest = (json: unknown): EnsembleManifest | string => {
  const fault = storageFault(json);
  if (fault !== null) return fault;
  const parsed = ensembleManifest.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  return `${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`.trim();
};

/**
 * Where a file that a manifest names stands in the version: paths lead out of the manifest's folder in the
 * repository (`../../data/x.csv.gz`), and inside of a version everything stands under one root (`data/x.csv.gz`).
 */
export const manifestPath = (path: string): string => {
  const inside: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '..') inside.pop();
    else if (segment !== '.' && segment !== '') inside.push(segment);
  }
  return inside.join('/');
};

/** A stored file, as the manifest is held against it. */
export interface StoredFile {
  readonly path: string;
  readonly sha256: string;
  readonly bytes: number;
}

/** What intake has learned of a member's file. */
export interface MemberShape {
  readonly inputs: readonly {
    readonly name: string;
    readonly shape: readonly (number | string | null)[] | null;
  }[];
  readonly outputs: readonly { readonly name: string }[];
}

/** What the manifest is held against. */
export interface ManifestFacts {
  readonly files: ReadonlyMap<string, StoredFile>;
  readonly shapes: ReadonlyMap<string, MemberShape>;
  /** Files that were refused already; nothing more is said of them. */
  readonly refused: ReadonlySet<string>;
  /** First line of the background file. */
  readonly backgroundHeader: readonly string[] | null;
}

type Fault = string | null;

const fileFault = (
  what: string,
  { file: path, sha256: expected }: { file: string; sha256: string },
  facts: ManifestFacts,
  required: boolean,
): Fault => {
  const place = manifestPath(path);
  if (pathFault(place) !== null) return `${what} has a path that cannot be: ${path}`;
  const stored = facts.files.get(place);
  if (!stored) return required ? `${what} is missing: upload ${place}` : null;
  if (stored.sha256 === expected) return null;
  return `${place}: ${what} has the digest ${stored.sha256}, the manifest says ${expected}`;
};

const exclusionFault = (manifest: EnsembleManifest, facts: ManifestFacts): Fault => {
  const excluded = new Map(manifest.excluded.map(({ name }) => [foldName(name), name]));
  const offered = [
    ...manifest.inputs.map(({ name }) => ({ name, where: 'an input of the manifest' })),
    ...(facts.backgroundHeader ?? []).map((name) => ({
      name,
      where: `a column of ${manifestPath(manifest.background.file)}`,
    })),
    ...[...facts.shapes].flatMap(([path, { inputs }]) =>
      inputs.map(({ name }) => ({ name, where: `an input of ${path}` })),
    ),
  ];
  const found = offered.find(({ name }) => excluded.has(foldName(name)));
  return found ? `${found.name} is excluded by the manifest and yet ${found.where}` : null;
};

const columnsFault = ({ inputs, encodedWidth }: EnsembleManifest): Fault => {
  const names = new Set(inputs.map(({ name }) => foldName(name)));
  if (names.size < inputs.length) return 'two inputs of the manifest have the same name';
  const spans = inputs
    .map(({ columns: [first, count] }) => ({ first, count }))
    .toSorted((one, other) => one.first - other.first);
  let next = 0;
  for (const { first, count } of spans) {
    if (first !== next) return `the columns of the inputs overlap or leave out column ${String(next)}`;
    next += count;
  }
  return next === encodedWidth
    ? null
    : `the inputs fill ${String(next)} columns, encodedWidth says ${String(encodedWidth)}`;
};

const backgroundFault = (manifest: EnsembleManifest, { backgroundHeader }: ManifestFacts): Fault => {
  const wanted = manifest.inputs.map(({ name }) => name);
  if (backgroundHeader?.join(',') === wanted.join(',')) return null;
  return `the columns of ${manifestPath(manifest.background.file)} are not the inputs of the manifest, in their order`;
};

const memberFaults = (manifest: EnsembleManifest, facts: ManifestFacts): Fault[] => {
  const weights = manifest.members.reduce((sum, { weight }) => sum + weight, 0);
  const faults: Fault[] = [
    Math.abs(weights - 1) > 1e-6 ? `the weights of the members sum to ${String(weights)}, not to 1` : null,
  ];
  for (const member of manifest.members) {
    const place = manifestPath(member.file);
    faults.push(fileFault(`the member ${member.name}`, member, facts, true));
    if (facts.files.has(place) && !facts.refused.has(place)) faults.push(shapeFault(manifest, member, facts));
  }
  return faults;
};

type NamedMember = EnsembleManifest['members'][number];

const shapeFault = (
  { encodedWidth }: EnsembleManifest,
  { file: path, input, output }: NamedMember,
  facts: ManifestFacts,
): Fault => {
  const place = manifestPath(path);
  const shape = facts.shapes.get(place);
  if (!shape) return `${place}: a member must be an .onnx file`;
  const width = shape.inputs.find(({ name }) => name === input)?.shape?.at(-1);
  if (shape.inputs.length !== 1 || width !== encodedWidth) {
    return `${place}: its input must be ${input} with ${String(encodedWidth)} columns`;
  }
  return shape.outputs.some(({ name }) => name === output) ? null : `${place}: it has no output ${output}`;
};

const strangerFault = (manifest: EnsembleManifest, facts: ManifestFacts): Fault => {
  const named = new Set(manifest.members.map(({ file: path }) => manifestPath(path)));
  const stranger = [...facts.shapes.keys()].find((path) => !named.has(path));
  return stranger === undefined ? null : `${stranger} is not a member that the manifest names`;
};

/**
 * Everything in which a version differs from its manifest, as sentences; empty when it holds. Members and the
 * background must be there; data files and worked examples may stay away, but not differ.
 */
export const manifestFaults = (manifest: EnsembleManifest, facts: ManifestFacts): string[] => {
  const faults = [
    exclusionFault(manifest, facts),
    columnsFault(manifest),
    ...memberFaults(manifest, facts),
    strangerFault(manifest, facts),
    fileFault('the background', manifest.background, facts, true) ?? backgroundFault(manifest, facts),
    ...manifest.data.map((data) => fileFault(`the ${data.role} data`, data, facts, false)),
    manifest.golden ? fileFault('the worked examples', manifest.golden, facts, false) : null,
  ];
  return faults.filter((fault) => fault !== null);
};
