import { AppError } from '../../../kernel/errors.js';
import type { JobContext } from '../../../kernel/job.js';
import type { ModelServer } from '../../../kernel/model-server.js';
import { giveUpFiles, keepFiles } from '../mlflow.commands/taken-files.js';
import { theirFiles } from './reading.js';

/** What whoever takes something over works with: a job, or the command line. */
export type Worker = Pick<
  JobContext<unknown>,
  'run' | 'ask' | 'actor' | 'outside' | 'signal' | 'progress' | 'clock'
>;

const mostFileBytes = 16 * 1024 ** 3;

/** What passes by itself, or belongs to this process; everything else would fail again. */
const isPassing = (error: unknown): boolean =>
  !(error instanceof AppError) || error.code === 'INTERNAL' || error.code === 'RATE_LIMITED';

/**
 * Fetches the files of a version that was taken over, stores them under their digests, and closes the version with
 * them. Twice is the same as once; what cannot be had makes the version refused, with the reason.
 */
export const fetchFiles = async (
  { run, actor, outside, signal, progress }: Worker,
  server: ModelServer,
  { versionId, location }: { readonly versionId: string; readonly location: string },
): Promise<{ readonly failed: string | null; readonly files: number }> => {
  try {
    const found = await theirFiles(server, location);
    if (found.length === 0) throw new AppError('NOT_FOUND', 'There are no files at its place', {});
    const files = [];
    for (const [index, path] of found.entries()) {
      signal.throwIfAborted();
      await progress(index / found.length, `Fetching ${path}`);
      const content = await server.open(`${location}/${path}`, signal);
      const stored = await outside.artifacts.put(content, { maxBytes: mostFileBytes });
      files.push({ path, ...stored });
    }
    await run(keepFiles, actor, { versionId, files });
    return { failed: null, files: files.length };
  } catch (error) {
    if (isPassing(error)) throw error;
    const why = error instanceof AppError ? error.message : '';
    const message = `The files could not be taken over: ${why}`.slice(0, 2000);
    await run(giveUpFiles, actor, { versionId, message });
    return { failed: message, files: 0 };
  }
};
