import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Actor } from '../kernel/actor.js';
import { installationRoot } from '../kernel/root.js';
import {
  createModel,
  createModelVersion,
  recordArtifact,
  submitModelVersion,
} from '../features/registry/index.js';
import { createUseCase } from '../features/usecases/index.js';
import type { TestApp } from './test-app.js';

let names = 0;

/** A name that was not used before in this test file. */
export const freshName = (noun: string): string => {
  names += 1;
  return `${noun}-${String(names)}`;
};

const once = async function* (content: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(content);
};

/** Stores content and puts it into a version, as the upload route does. */
export const putArtifact = async (
  app: TestApp,
  actor: Actor,
  versionId: string,
  path: string,
  content: Uint8Array | string,
): Promise<{ id: string; sha256: string }> => {
  const stored = await app.outside.artifacts.put(once(Buffer.from(content)), { maxBytes: 1e9 });
  const mediaType = 'application/octet-stream';
  return app.run(recordArtifact, actor, { versionId, path, mediaType, ...stored });
};

/** A use case of an owner of the workspace. */
export const givenUseCase = async (app: TestApp): Promise<string> => {
  const { id } = await app.run(createUseCase, await app.actor('owner'), {
    slug: freshName('use-case'),
    name: 'Income verification',
    purpose: 'Route the verification of stated incomes',
    peopleAffected: 'Applicants',
    riskTier: 'HIGH',
  });
  return id;
};

/** A model of an engineer. */
export const givenModel = async (app: TestApp, kind: 'ONNX' | 'EXTERNAL' = 'ONNX'): Promise<string> => {
  const { id } = await app.run(createModel, await app.actor('engineer'), { name: freshName('model'), kind });
  return id;
};

/** A READY version without artifacts, by an engineer; quick, for tests of what is built on versions. */
export const givenVersion = async (
  app: TestApp,
  given: { modelId?: string; parentVersionId?: string } = {},
): Promise<{ modelId: string; versionId: string }> => {
  const engineer = await app.actor('engineer');
  const modelId = given.modelId ?? (await givenModel(app, 'EXTERNAL'));
  const parentVersionId = given.parentVersionId ?? null;
  const { id: versionId } = await app.run(createModelVersion, engineer, { modelId, parentVersionId });
  await app.run(submitModelVersion, engineer, { versionId });
  return { modelId, versionId };
};

/** One file of the reference ensemble. */
export const referenceFile = (path: string, version = '1.0.0'): Promise<Buffer> =>
  readFile(join(installationRoot, 'models', 'income-routing', version, path));

/** The files of the reference ensemble, at the paths of an artifact; without the data unless asked for. */
export const referenceFiles = async (
  version = '1.0.0',
  options: { data?: boolean } = {},
): Promise<Map<string, Buffer>> => {
  const manifest = await referenceFile('manifest.json', version);
  const { members } = JSON.parse(manifest.toString()) as { members: { file: string }[] };
  const paths = ['background.csv', 'golden.json', ...members.map(({ file }) => file)];
  const files = new Map([['manifest.json', manifest]]);
  for (const path of paths) files.set(path, await referenceFile(path, version));
  if (!options.data) return files;
  for (const name of ['adult-train.csv.gz', 'adult-calibration.csv.gz', 'adult-heldout.csv.gz']) {
    files.set(`data/${name}`, await readFile(join(installationRoot, 'models', 'data', name)));
  }
  return files;
};

/** The reference ensemble as a submitted version; drain the jobs and it is READY. */
export const givenEnsemble = async (
  app: TestApp,
  given: {
    modelId?: string;
    version?: string;
    files?: ReadonlyMap<string, Uint8Array | string>;
    data?: boolean;
  } = {},
): Promise<{ modelId: string; versionId: string }> => {
  const engineer = await app.actor('engineer');
  const modelId = given.modelId ?? (await givenModel(app));
  const { id: versionId } = await app.run(createModelVersion, engineer, { modelId });
  const files = given.files ?? (await referenceFiles(given.version, { data: given.data ?? false }));
  for (const [path, content] of files) await putArtifact(app, engineer, versionId, path, content);
  await app.run(submitModelVersion, engineer, { versionId });
  return { modelId, versionId };
};
