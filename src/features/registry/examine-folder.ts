import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { z } from 'zod';
import type { Outside } from '../../kernel/ports.js';
import { storageFault } from '../../kernel/input.js';
import { modelDescription, readMlmodel, type MlmodelReport } from './mlmodel.js';

/** A file of a version, as far as it is looked at here. */
interface File {
  readonly path: string;
  readonly sha256: string;
  readonly bytes: number;
}

/** What is needed to look into files. */
export interface Looking {
  readonly outside: Pick<Outside, 'artifacts' | 'compute'>;
  readonly signal: AbortSignal;
  readonly progress: (fraction: number, message: string) => Promise<void>;
}

const pickleScan = z.object({
  streams: z.number(),
  imports: z.array(z.string().max(3000)).max(500),
  carriesCode: z.boolean(),
  faults: z.array(z.string().max(4000)).max(20),
});

/** What a file would import when somebody loads it. */
export type PickleReport = z.output<typeof pickleScan>;

/** What the files, and the folder of MLflow if they are one, turned out to be. */
export interface FolderFindings {
  readonly model: MlmodelReport | null;
  readonly pickles: ReadonlyMap<string, PickleReport>;
  readonly faults: readonly string[];
}

const mostDescriptionBytes = 4 * 1_048_576;
const scanMs = 5 * 60_000;

const digestOf = async (path: string, signal: AbortSignal): Promise<string> => {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { signal, highWaterMark: 1_048_576 }))
    hash.update(chunk as Buffer);
  return hash.digest('hex');
};

const readDescription = async (path: string): Promise<ReturnType<typeof readMlmodel>> => {
  const { size } = await stat(path);
  if (size > mostDescriptionBytes) return { fault: `${modelDescription}: it is too large` };
  const answer = readMlmodel(await readFile(path, 'utf8'));
  // As deep in what is recorded as it will stand there.
  const fault = 'report' in answer ? storageFault({ intake: { mlflow: answer.report } }) : null;
  return fault === null ? answer : { fault: `${modelDescription}: ${fault.replace('intake.mlflow.', '')}` };
};

/** The bytes that are stored must be those that were registered; then each is looked through for what loading would do. */
const examineFile = async ({ outside, signal }: Looking, file: File): Promise<PickleReport | string> =>
  outside.artifacts.withFile(file.sha256, async (path) => {
    const stored = await digestOf(path, signal);
    if (stored !== file.sha256) return `the stored bytes have the digest ${stored}, not ${file.sha256}`;
    const input = { path, name: file.path };
    const scan = pickleScan.parse(
      await outside.compute.run<unknown>('intake.pickles', input, { timeoutMs: scanMs, signal }),
    );
    return storageFault(scan) ?? scan;
  });

/** Examines files: digests, every pickle, none of which is loaded, and the description of a folder as MLflow saves it. */
export const examineFolder = async (looking: Looking, files: readonly File[]): Promise<FolderFindings> => {
  const description = files.find(({ path }) => path === modelDescription);
  const faults: string[] = [];
  const pickles = new Map<string, PickleReport>();
  for (const [index, file] of files.entries()) {
    await looking.progress((index / files.length) * 0.8, `Looking into ${file.path}`);
    const found = await examineFile(looking, file);
    if (typeof found === 'string') faults.push(`${file.path}: ${found}`);
    else {
      if (found.streams > 0) pickles.set(file.path, found);
      faults.push(...found.faults.map((fault) => `${file.path}: ${fault}`));
    }
  }
  if (!description) return { model: null, pickles, faults };
  const answer = await looking.outside.artifacts.withFile(description.sha256, readDescription);
  if ('fault' in answer) return { model: null, pickles, faults: [...faults, answer.fault] };
  return { model: answer.report, pickles, faults };
};
