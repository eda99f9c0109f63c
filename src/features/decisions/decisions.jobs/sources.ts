import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { EnsembleSource } from '../../../compute/ensemble/open-ensemble.js';
import { ensembleManifest } from '../../../kernel/ensemble-manifest.js';
import { AppError } from '../../../kernel/errors.js';
import type { JobContext } from '../../../kernel/job.js';
import { defineQuery } from '../../../kernel/query.js';
import { manifestName, manifestPath } from '../../registry/index.js';
import type { Runnable } from './run.js';

/** What opening a version needs of a job. */
export type SourceContext = Pick<JobContext<unknown>, 'ask' | 'actor' | 'outside'>;

const versionFiles = defineQuery({
  name: 'decision.versionFiles',
  describe: 'The artifacts of a version that decides.',
  permission: 'artifact:read',
  input: z.object({ versionId: z.uuid() }),
  handle: async ({ db, input }) =>
    db.sql<{ path: string; sha256: string }>('select path, sha256 from artifact where version_id = $1', [
      input.versionId,
    ]),
});

const known = new Map<string, Promise<Runnable<EnsembleSource>>>();
const mostKnown = 16;

/** The files of a version, read once per process and shared with the threads without copying. */
export const runnableOf = (
  context: SourceContext,
  version: { readonly versionId: string; readonly versionDigest: string },
): Promise<Runnable<EnsembleSource>> => {
  const found = known.get(version.versionDigest) ?? read(context, version.versionId, version.versionDigest);
  known.delete(version.versionDigest);
  known.set(version.versionDigest, found);
  found.catch(() => known.delete(version.versionDigest));
  const [oldest] = known.keys();
  if (known.size > mostKnown && oldest !== undefined) known.delete(oldest);
  return found;
};

const read = async (
  { ask, actor, outside }: SourceContext,
  versionId: string,
  digest: string,
): Promise<Runnable<EnsembleSource>> => {
  const artifacts = await ask(versionFiles, actor, { versionId });
  const digests = new Map(artifacts.map(({ path, sha256 }) => [path, sha256]));
  const fetch = async (path: string): Promise<Uint8Array> => {
    const sha256 = digests.get(manifestPath(path));
    if (sha256 === undefined) {
      throw new AppError('PRECONDITION_FAILED', `The version has no artifact ${path}`, {
        rule: 'artifact-missing',
        path,
      });
    }
    return shared(await outside.artifacts.withFile(sha256, (local) => readFile(local)));
  };
  const manifestBytes = await fetch(manifestName);
  const manifest = ensembleManifest.parse(JSON.parse(Buffer.from(manifestBytes).toString('utf8')));
  const files: Record<string, Uint8Array> = { [manifestName]: manifestBytes };
  for (const path of [manifest.background.file, ...manifest.members.map(({ file }) => file)]) {
    files[path] = await fetch(path);
  }
  return { source: { digest, files }, manifest };
};

const shared = (bytes: Uint8Array): Uint8Array => {
  const copy = new Uint8Array(new SharedArrayBuffer(bytes.length));
  copy.set(bytes);
  return copy;
};
