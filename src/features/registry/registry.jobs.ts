import { readFile, stat } from 'node:fs/promises';
import { z } from 'zod';
import { inspectOnnx, type ModelReport } from '../../compute/intake/index.js';
import { AppError } from '../../kernel/errors.js';
import { giveUpJob } from '../../kernel/give-up.js';
import { storageFault } from '../../kernel/input.js';
import { defineJob, defineReaction, type JobContext } from '../../kernel/job.js';
import type { Artifact } from './artifact.entity.js';
import { intakeChecks } from './same-bytes.js';
import { examineFolder, type FolderFindings } from './examine-folder.js';
import {
  manifestFaults,
  manifestName,
  manifestPath,
  readEnsembleManifest,
  type EnsembleManifest,
} from './manifest.js';
import { manifestFacts } from './manifest-facts.js';
import { recordIntake } from './registry.commands/record-intake.js';
import { intakeOfJob, intakeTarget } from './registry.queries.js';

const payload = z.object({ versionId: z.uuid() });

type Context = JobContext<z.output<typeof payload>>;

/** What intake found out; faults are sentences that name file and reason. */
interface Findings {
  readonly refused: Set<string>;
  readonly reports: Map<string, ModelReport>;
  readonly faults: string[];
  manifest: EnsembleManifest | null;
  folder: FolderFindings;
}

const nothingFound = (folder: FolderFindings): Findings => ({
  refused: new Set(),
  reports: new Map(),
  faults: [...folder.faults],
  manifest: null,
  folder,
});

const maxManifestBytes = 8 * 1_048_576;

/** Checks the artifacts of a submitted version. Nothing of what it reads is trusted; twice is the same as once. */
export const intake = defineJob({
  name: 'registry.intake',
  queue: 'heavy',
  payload,
  attempts: 3,
  timeoutMs: 15 * 60_000,
  visible: true,
  handle: async (context) => {
    const { version, artifacts } = await target(context);
    if (version?.state !== 'PENDING_INTAKE' || version.submittedAt === null) return;
    const started = context.clock.now();
    const findings = await examine(context, artifacts);
    await record(context, artifacts, findings, started);
  },
});

/** The version with its artifacts; without a version when it was deleted meanwhile, and nothing is left to do. */
const target = async ({ ask, actor, payload: input }: Context) =>
  ask(intakeTarget, actor, input).catch((error: unknown) => {
    if (error instanceof AppError && error.code === 'NOT_FOUND') return { version: null, artifacts: [] };
    throw error;
  });

const isModel = ({ path }: Artifact): boolean => path.toLowerCase().endsWith('.onnx');

const examine = async (context: Context, artifacts: readonly Artifact[]): Promise<Findings> => {
  const findings = nothingFound(await examineFolder(context, artifacts));
  const models = artifacts.filter(isModel);
  for (const [index, artifact] of models.entries()) {
    await context.progress(index / (models.length + 1), `Opening ${artifact.path}`);
    const { signal, outside } = context;
    const answer = await outside.artifacts.withFile(artifact.sha256, (path) => inspectOnnx(path, { signal }));
    const refusal = answer.accepted ? storageFault(answer.report) : answer.reason;
    if (answer.accepted && refusal === null) findings.reports.set(artifact.path, answer.report);
    else {
      findings.refused.add(artifact.path);
      findings.faults.push(`${artifact.path}: ${refusal ?? ''}`);
    }
  }
  await context.progress(models.length / (models.length + 1), 'Comparing with the manifest');
  await examineManifest(context, artifacts, findings);
  return findings;
};

const examineManifest = async (
  { outside }: Context,
  artifacts: readonly Artifact[],
  findings: Findings,
): Promise<void> => {
  const files = new Map(artifacts.map((artifact) => [artifact.path, artifact]));
  const stored = files.get(manifestName);
  if (!stored) return;
  const json = await outside.artifacts.withFile(stored.sha256, readJson);
  if (json === null) {
    findings.faults.push(`${manifestName}: is not JSON of at most ${String(maxManifestBytes)} bytes`);
    return;
  }
  const read = readEnsembleManifest(json);
  if (typeof read === 'string') {
    findings.faults.push(`${manifestName}: ${read}`);
    return;
  }
  findings.manifest = read;
  const background = files.get(manifestPath(read.background.file));
  const backgroundHeader = background
    ? await outside.artifacts.withFile(background.sha256, readHeader)
    : null;
  const { reports: shapes, refused } = findings;
  findings.faults.push(...manifestFaults(read, { files, shapes, refused, backgroundHeader }));
};

const readBounded = async (path: string): Promise<string | null> => {
  const { size } = await stat(path);
  return size > maxManifestBytes ? null : readFile(path, 'utf8');
};

const readJson = async (path: string): Promise<unknown> => {
  const text = await readBounded(path);
  try {
    return JSON.parse(text ?? '') as unknown;
  } catch {
    return null;
  }
};

const readHeader = async (path: string): Promise<string[] | null> => {
  const text = await readBounded(path);
  return text === null ? null : (text.split('\n', 1)[0] ?? '').trim().split(',');
};

/** What came out of a stranger's file, as a sentence that can be stored and read: also half a character is none. */
const printable = (text: string): string => text.replace(/\p{C}/gu, ' ');

const record = async (
  { run, actor, clock, payload: { versionId }, jobId, progress }: Context,
  artifacts: readonly Artifact[],
  { reports, faults: found, manifest, folder }: Findings,
  started: Date,
): Promise<void> => {
  const faults = found.map(printable);
  const rejected = faults.length > 0;
  const files = artifacts.map(({ path, sha256, bytes }) => ({
    path,
    sha256,
    bytes,
    model: reports.get(path) ?? null,
    ...(folder.pickles.has(path) ? { pickle: folder.pickles.get(path) } : {}),
  }));
  const opened = {
    checks: intakeChecks,
    files,
    faults,
    runtime: reports.values().next().value?.runtime ?? null,
    manifest: manifest && manifestFacts(manifest),
    ...(folder.model === null ? {} : { mlflow: folder.model }),
    startedAt: started.toISOString(),
    durationMs: clock.now().getTime() - started.getTime(),
  };
  const message = rejected ? printable(faults.join('; ').slice(0, 2000)) : passedMessage(folder);
  const signature = rejected ? null : (folderSignature(folder) ?? signatureOf(reports, manifest));
  const state = rejected ? 'REJECTED' : 'READY';
  const input = { versionId, state, message, signature, intake: opened } as const;
  await run(recordIntake, actor, input, { effectKey: `${jobId}:record` });
  await progress(1, rejected ? 'Refused' : 'Ready');
};

/** Code of its own in a pickle is no fault, but whoever approves must know of it. */
const passedMessage = ({ pickles }: FolderFindings): string => {
  const own = [...pickles].filter(([, { carriesCode }]) => carriesCode).map(([path]) => path);
  return own.length === 0
    ? 'Every check of intake passed'
    : `Every check of intake passed; ${own.slice(0, 5).join(', ')} carries code of its own`;
};

/** What goes in and comes out, as the folder's description says. */
const folderSignature = ({ model }: FolderFindings): Record<string, unknown> | null =>
  model === null ? null : { kind: 'mlflow', flavours: model.flavours, ...model.signature };

/** What goes in and comes out: of the ensemble when there is a manifest, else of each file. */
const signatureOf = (
  reports: ReadonlyMap<string, ModelReport>,
  manifest: EnsembleManifest | null,
): Record<string, unknown> => {
  if (manifest) {
    const outputs = [{ name: 'probability', elementType: 'double', shape: [null] }];
    return {
      kind: 'ensemble',
      inputs: manifest.inputs,
      outputs,
      members: manifest.members.map(({ name }) => name),
    };
  }
  const shapes = [...reports].map(([path, { inputs, outputs }]) => ({ path, inputs, outputs }));
  const [only, ...others] = shapes;
  if (only && others.length === 0) return { kind: 'model', inputs: only.inputs, outputs: only.outputs };
  return { kind: 'models', files: shapes };
};

/** A version whose check was given up does not wait for ever: it is rejected, and says what to do. */
export const noteFailedIntake = defineReaction({
  name: 'registry.noteFailedIntake',
  follows: [giveUpJob],
  attempts: 8,
  handle: async ({ payload: { subjects }, ask, run, actor }) => {
    for (const { id: jobId } of subjects) {
      const found = await ask(intakeOfJob, actor, { jobId });
      if (!found) continue;
      const advice = 'Create a new version with the same artifacts to try again.';
      const message = `Intake could not be completed: ${found.reason} ${advice}`;
      const input = { versionId: found.versionId, state: 'REJECTED', message, signature: null } as const;
      await run(recordIntake, actor, { ...input, intake: { files: [], faults: [message], jobId } });
    }
  },
});
