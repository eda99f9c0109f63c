import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  attestationBy,
  type AttestationView,
} from '../features/attestations/attestations.queries/attestations.js';
import { publishedKeys, revocationList } from '../features/attestations/attestations.queries/published.js';
import { createModelVersion, submitModelVersion } from '../features/registry/index.js';
import { systemActor } from '../kernel/actor.js';
import { givenCard, givenChampion, givenEvidence, givenPromotable, type Given } from './given-change.js';
import { putArtifact } from './given-version.js';
import type { TestApp } from './test-app.js';

/** A champion whose files lie in a folder too, with its attestation. */
export interface GivenAttested extends Given {
  readonly changeId: string;
  readonly folder: string;
  readonly attestation: AttestationView;
}

/** The files of the version, at paths whose order differs between bytes and letters. */
export const attestedFiles: Readonly<Record<string, string>> = {
  'model.bin': 'weights',
  'nested/Z.txt': 'capital',
  'nested/a b.txt': 'a space',
  'nested/é.txt': 'an accent',
  '\uff5e.txt': 'a wide tilde',
  '😀.txt': 'beyond the basic plane',
};

/** Writes files below a folder. */
export const writeFiles = async (folder: string, files: Readonly<Record<string, string>>): Promise<void> => {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
};

/** The attestation of a version under champion. */
export const attestationOf = async (app: TestApp, versionId: string): Promise<AttestationView> =>
  app.ask(attestationBy, await app.actor('auditor'), { versionId, alias: 'champion' });

/** Another version of the model with these files, ready for promotion. */
export const givenFiles = async (
  app: TestApp,
  given: Given,
  files: Readonly<Record<string, string>>,
): Promise<Given> => {
  const { id: versionId } = await app.run(createModelVersion, given.engineer, { modelId: given.modelId });
  for (const [path, content] of Object.entries(files)) {
    await putArtifact(app, given.engineer, versionId, path, content);
  }
  await app.run(submitModelVersion, given.engineer, { versionId });
  await app.drainJobs();
  const next = { ...given, versionId };
  await givenCard(app, next);
  await givenEvidence(app, next, { PERFORMANCE: 'PASS', FAIRNESS: 'PASS', ATTRIBUTION: 'PASS' });
  return next;
};

/** Promotes a version with files and puts the same files into a folder. */
export const givenAttested = async (app: TestApp, files = attestedFiles): Promise<GivenAttested> => {
  const given = await givenFiles(app, await givenPromotable(app, { bare: true }), files);
  const changeId = await givenChampion(app, given);
  const folder = join(
    app.folder,
    `model-${createHash('sha256').update(changeId).digest('hex').slice(0, 12)}`,
  );
  await writeFiles(folder, files);
  return { ...given, changeId, folder, attestation: await attestationOf(app, given.versionId) };
};

const publisher = systemActor('door:attestations');

/** What the installation publishes, as bytes. */
export const published = async (app: TestApp): Promise<{ keys: Buffer; list: Buffer }> => ({
  keys: Buffer.from(await app.ask(publishedKeys, publisher, {})),
  list: Buffer.from((await app.ask(revocationList, publisher, {})).envelope),
});
