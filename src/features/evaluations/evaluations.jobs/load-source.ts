import type { EnsembleSource } from '../../../compute/evaluation/index.js';
import { ensembleManifest, type EnsembleManifest } from '../../../kernel/ensemble-manifest.js';
import { AppError } from '../../../kernel/errors.js';
import type { ArtifactStore } from '../../../kernel/ports.js';
import { manifestName, manifestPath, type Artifact } from '../../registry/index.js';

/** An ensemble as a worker thread opens it, and what its manifest says. */
export interface LoadedEnsemble {
  readonly manifest: EnsembleManifest;
  readonly source: EnsembleSource;
}

const mostBytes = 512 * 1_048_576;

/** Over shared memory, so that every range of rows reaches its thread without copying the ensemble. */
const contentOf = async (
  artifacts: ArtifactStore,
  { sha256, bytes, path }: Artifact,
): Promise<Uint8Array> => {
  if (bytes > mostBytes) {
    throw new AppError('PRECONDITION_FAILED', `${path} is too large to be evaluated in memory`, {
      rule: 'artifact-size',
      path,
    });
  }
  const content = new Uint8Array(new SharedArrayBuffer(bytes));
  let at = 0;
  for await (const chunk of await artifacts.open(sha256)) {
    content.set(chunk, at);
    at += chunk.byteLength;
  }
  return content;
};

const parseManifest = (content: Uint8Array): EnsembleManifest => {
  const parsed = ensembleManifest.safeParse(parseJson(Buffer.from(content).toString('utf8')));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue ? ` ${issue.path.join('.')}: ${issue.message}.` : '';
  throw new AppError('PRECONDITION_FAILED', `${manifestName} cannot be evaluated.${where}`, {
    rule: 'manifest',
  });
};

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
};

/** Reads the manifest, the members and the background of a version. */
export const loadEnsemble = async (
  store: ArtifactStore,
  digest: string,
  artifacts: readonly Artifact[],
): Promise<LoadedEnsemble> => {
  const byPath = new Map(artifacts.map((artifact) => [artifact.path, artifact]));
  const read = async (name: string): Promise<Uint8Array> => {
    const artifact = byPath.get(manifestPath(name));
    if (artifact) return contentOf(store, artifact);
    throw new AppError(
      'PRECONDITION_FAILED',
      `The version has no ${name}: an evaluation needs an ensemble with its manifest, members and background`,
      { rule: 'artifact-missing', path: name },
    );
  };
  const content = await read(manifestName);
  const manifest = parseManifest(content);
  const files: Record<string, Uint8Array> = { [manifestName]: content };
  for (const name of [...manifest.members.map(({ file }) => file), manifest.background.file])
    files[name] = await read(name);
  return { manifest, source: { digest, files } };
};
