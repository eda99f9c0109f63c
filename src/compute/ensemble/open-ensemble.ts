import { createHash } from 'node:crypto';
import {
  compareReadings,
  createEnsemble,
  createExplainer,
  loadMember,
  probeRows,
  type Ensemble,
  type Explainer,
} from '../../analysis/index.js';
import { ensembleManifest, type EnsembleManifest } from '../../kernel/ensemble-manifest.js';
import { AppError } from '../../kernel/errors.js';
import { encodeRows, readCsvRows } from './encode.js';
import { openRuntimeMember, type RuntimeMember } from './runtime.js';

/**
 * A version's artifacts by path: `manifest.json`, the members and the background. Over a `SharedArrayBuffer` they
 * reach a thread without being copied.
 */
export interface EnsembleSource {
  /** Digest of the version; what is opened is kept under it. */
  readonly digest: string;
  readonly files: Readonly<Record<string, Uint8Array>>;
}

/** An ensemble ready to score and to explain. */
export interface OpenEnsemble {
  readonly manifest: EnsembleManifest;
  /** Our reading of the files: double precision, exactly explained. */
  readonly ensemble: Ensemble;
  /** The same members in onnxruntime: the second opinion on every row. */
  readonly runtime: readonly RuntimeMember[];
  /** Encoded background rows. */
  readonly background: Float32Array;
  /** Explains against the first `rows` rows of the background. */
  readonly explainer: (rows: number) => Explainer;
}

/** Rows that are scored twice when an ensemble is opened. */
const mostProbes = 1024;

const mostOpen = 8;
const open = new Map<string, Promise<OpenEnsemble>>();

/** Opens an ensemble once per digest and thread; the least recently used one goes when there are too many. */
export const openEnsemble = (source: EnsembleSource): Promise<OpenEnsemble> => {
  const known = open.get(source.digest) ?? read(source);
  open.delete(source.digest);
  open.set(source.digest, known);
  known.catch(() => open.delete(source.digest));
  const [oldest] = open.keys();
  if (open.size > mostOpen && oldest !== undefined) open.delete(oldest);
  return known;
};

const read = async (source: EnsembleSource): Promise<OpenEnsemble> => {
  const manifest = ensembleManifest.parse(JSON.parse(text(fileOf(source, 'manifest.json'))));
  const members = manifest.members.map((member) => ({
    member,
    bytes: verified(source, member.file, member.sha256),
  }));
  const ensemble = createEnsemble({
    members: members.map(({ member, bytes }) => ({ member: loadMember(bytes), weight: member.weight })),
    calibration: manifest.calibration,
    groups: manifest.inputs.map(({ name, columns }) => ({ name, columns })),
  });
  const runtime: RuntimeMember[] = [];
  for (const { member, bytes } of members) runtime.push(await openRuntimeMember(member, bytes));
  const csv = text(verified(source, manifest.background.file, manifest.background.sha256));
  const background = encodeRows(manifest, readCsvRows(manifest, csv));
  const opened = { manifest, ensemble, runtime, background, explainer: explainersOf(ensemble, background) };
  await requireParity(opened);
  return opened;
};

const explainersOf = (ensemble: Ensemble, background: Float32Array): OpenEnsemble['explainer'] => {
  const known = new Map<number, Explainer>();
  return (rows) => {
    const kept = Math.min(rows, background.length / ensemble.width);
    const explainer =
      known.get(kept) ?? createExplainer(ensemble, background.subarray(0, kept * ensemble.width));
    known.set(kept, explainer);
    return explainer;
  };
};

/** Two readings of the same file must say the same on and beside every threshold, or neither is to be trusted. */
const requireParity = async ({ ensemble, runtime, background }: OpenEnsemble): Promise<void> => {
  const backgroundRows = background.length / ensemble.width;
  for (const [index, { name, predict }] of runtime.entries()) {
    const member = ensemble.members[index]?.member;
    if (member === undefined) continue;
    const hasThresholds = member.model.kind === 'trees';
    const probes = hasThresholds ? probeRows(member, background, mostProbes) : background;
    const theirs = await predict(probes, probes.length / ensemble.width);
    const difference = compareReadings(member, probes, theirs, backgroundRows);
    if (difference === null) continue;
    throw new AppError(
      'PRECONDITION_FAILED',
      `The member ${name} scores differently here and in onnxruntime (by ${difference.gap.toExponential(2)}, ${difference.semantic}); it is not used`,
      { rule: 'runtime-parity', member: name, difference: difference.gap, semantic: difference.semantic },
    );
  }
};

/** Greatest absolute difference; a value that is missing or not a number counts as infinitely far. */
export const greatestGap = (ours: Float64Array, theirs: Float64Array): number => {
  if (ours.length !== theirs.length) return Number.POSITIVE_INFINITY;
  let greatest = 0;
  ours.forEach((value, row) => {
    const gap = Math.abs(value - (theirs[row] ?? Number.NaN));
    greatest = Number.isNaN(gap) ? Number.POSITIVE_INFINITY : Math.max(greatest, gap);
  });
  return greatest;
};

const fileOf = ({ files }: EnsembleSource, path: string): Uint8Array => {
  const bytes = files[path];
  if (bytes) return bytes;
  throw new AppError('PRECONDITION_FAILED', `The version has no artifact ${path}`, {
    rule: 'artifact-missing',
    path,
  });
};

/** What is run is what the manifest pins. Copies, because native code does not read shared memory. */
const verified = (source: EnsembleSource, path: string, sha256: string): Uint8Array => {
  const bytes = Uint8Array.from(fileOf(source, path));
  if (createHash('sha256').update(bytes).digest('hex') === sha256) return bytes;
  throw new AppError('PRECONDITION_FAILED', `The artifact ${path} is not the one that the manifest names`, {
    rule: 'artifact-digest',
    path,
  });
};

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');
