import type { ModelServer } from '../../../kernel/model-server.js';
import { aliasName, modelName } from '../../registry/index.js';
import { finishMlflowImport, noteMlflowImport } from '../mlflow.commands/imports.js';
import { takeAlias, type TakenAlias } from '../mlflow.commands/take-alias.js';
import { takeModel } from '../mlflow.commands/take-model.js';
import { takeVersion, toldDigest } from '../mlflow.commands/take-version.js';
import { modelStanding, type ModelStanding } from '../mlflow.queries/copies.js';
import type { ImportView } from '../mlflow.queries/imports.js';
import { fetchFiles, type Worker } from './fetch.js';
import { theirLocation, theirModels, theirRun, theirVersions } from './reading.js';
import type { ToldModel, ToldVersion } from './told.js';

/** What was done or left, and why. */
export interface ImportItem {
  readonly kind: 'MODEL' | 'VERSION' | 'ALIAS' | 'STAGE';
  readonly name: string;
  readonly outcome: 'IMPORTED' | 'UPDATED' | 'SKIPPED' | 'ASKED_FOR' | 'WAITING' | 'FAILED';
  readonly reason: string;
}

interface Import {
  readonly worker: Worker;
  readonly server: ModelServer;
  readonly artifacts: ImportView['artifacts'];
  /** Who asked for it is who brought it here. */
  readonly by: string;
  readonly items: ImportItem[];
  /** `MODEL_SAME`, `VERSION_IMPORTED` and so on. */
  readonly counts: Record<string, number>;
}

const note = (
  { items, counts }: Import,
  kind: ImportItem['kind'],
  name: string,
  outcome: ImportItem['outcome'] | 'SAME',
  reason: string,
): void => {
  const key = `${kind}_${outcome}`;
  counts[key] = (counts[key] ?? 0) + 1;
  if (outcome !== 'SAME')
    items.push({ kind, name: name.slice(0, 1400), outcome, reason: reason.slice(0, 4000) });
};

const since = (ms: number): string => (ms === 0 ? '' : ` (created there at ${new Date(ms).toISOString()})`);

type Known = ModelStanding['versions'][number];

const fetched = async (
  one: Import,
  label: string,
  at: { readonly versionId: string; readonly location: string },
  done: { readonly outcome: 'IMPORTED' | 'UPDATED'; readonly reason: string },
): Promise<void> => {
  const { failed, files } = await fetchFiles(one.worker, one.server, at);
  if (failed === null) note(one, 'VERSION', label, done.outcome, `${done.reason}; ${String(files)} files`);
  else note(one, 'VERSION', label, 'FAILED', failed);
};

const labelOf = ({ name, version }: ToldVersion): string => `${name}/${String(version)}`;

const whyNot = {
  FOREIGN: 'Here there is a version of this number that was not imported',
  DIFFERENT: 'There it is another version now than the one that was imported: it was made anew',
} as const;

/** Where the files are fetched from; empty when they stay where they are. */
const placeOf = async ({ artifacts, server }: Import, told: ToldVersion, known: Known | undefined) => {
  if (known?.location) return known.location;
  return artifacts === 'REFERENCE' ? '' : ((await theirLocation(server, told)) ?? '');
};

const takeNew = async (
  one: Import,
  modelId: string,
  told: ToldVersion,
  known: Known | undefined,
): Promise<string | null> => {
  const { worker, server, by } = one;
  const label = labelOf(told);
  const [location, run] = await Promise.all([placeOf(one, told, known), theirRun(server, told.run_id)]);
  const given = { modelId, told, run, location, by, address: server.address, fetchLater: false };
  const { id, taken, fetch } = await worker.run(takeVersion, worker.actor, given);
  if (taken === 'FOREIGN' || taken === 'DIFFERENT') {
    note(one, 'VERSION', label, 'SKIPPED', whyNot[taken]);
    return null;
  }
  const outcome = taken === 'UPDATED' ? 'UPDATED' : 'IMPORTED';
  const why = `${outcome === 'UPDATED' ? 'What is said of it changed' : 'New'}${since(told.creation_timestamp)}`;
  const reason = location === '' ? `${why}; its files stand elsewhere` : why;
  if (fetch) await fetched(one, label, { versionId: id, location }, { outcome, reason });
  else note(one, 'VERSION', label, taken === 'SAME' ? taken : outcome, reason);
  return id;
};

const takeOne = async (
  one: Import,
  modelId: string,
  told: ToldVersion,
  known: Known | undefined,
): Promise<string | null> => {
  if (told.status !== 'READY' && told.status !== '') {
    note(one, 'VERSION', labelOf(told), 'SKIPPED', `It is ${told.status} there`);
    return null;
  }
  if (known?.told !== toldDigest(told) || known.files === 'PENDING')
    return takeNew(one, modelId, told, known);
  note(one, 'VERSION', labelOf(told), 'SAME', '');
  return known.id;
};

const ofAlias: Readonly<Record<TakenAlias, readonly [ImportItem['outcome'] | 'SAME', string]>> = {
  MOVED: ['IMPORTED', 'Set'],
  SAME: ['SAME', ''],
  PROTECTED: ['ASKED_FOR', 'It is protected here: ask for it by a change request'],
  WAITING: ['WAITING', 'It is set when its version has passed intake'],
  REFUSED: ['SKIPPED', 'Its version was refused by intake, or is deleted here'],
};

const takeAliasesOf = async (
  one: Import,
  modelId: string,
  told: ToldModel,
  ids: ReadonlyMap<string, string>,
): Promise<void> => {
  const { run, actor } = one.worker;
  for (const { alias, version } of told.aliases) {
    const label = `${told.name}@${alias} → ${version}`;
    const versionId = ids.get(version);
    if (versionId === undefined || !aliasName.safeParse(alias).success) {
      const reason = versionId === undefined ? 'Its version was not imported' : 'It cannot be a name here';
      note(one, 'ALIAS', label, 'SKIPPED', reason);
      continue;
    }
    const { taken } = await run(takeAlias, actor, { modelId, name: alias, versionId });
    note(one, 'ALIAS', label, ...ofAlias[taken]);
  }
};

/** A stage is a name too, and none is given without somebody who asks for it here. */
const noteStage = (one: Import, told: ToldVersion): void => {
  if (told.current_stage === '' || told.current_stage === 'None') return;
  const label = `${told.name}/${String(told.version)} → ${told.current_stage}`;
  note(one, 'STAGE', label, 'ASKED_FOR', 'Stages are not taken over: move the version here');
};

const takeOneModel = async (one: Import, told: ToldModel): Promise<void> => {
  const { worker, server, by } = one;
  const { run, ask, actor, signal } = worker;
  if (!modelName.safeParse(told.name).success) {
    note(one, 'MODEL', told.name, 'SKIPPED', 'A model cannot have this name here');
    return;
  }
  const { id, name, taken } = await run(takeModel, actor, {
    address: server.address,
    told,
    by,
    adopt: false,
  });
  if (taken === 'FOREIGN') {
    const reason = `Here there is a model ${name} that was not imported from there`;
    note(one, 'MODEL', told.name, 'SKIPPED', reason);
    return;
  }
  note(one, 'MODEL', told.name, taken, `From ${server.address}${since(told.creation_timestamp)}`);
  const { versions } = await ask(modelStanding, actor, { modelId: id });
  const known = new Map(versions.map((version) => [version.version, version]));
  const ids = new Map<string, string>();
  for (const version of await theirVersions(server, told.name)) {
    signal.throwIfAborted();
    const number = String(version.version);
    const aliases = told.aliases.filter((alias) => alias.version === number).map(({ alias }) => alias);
    const versionId = await takeOne(one, id, { ...version, aliases }, known.get(version.version));
    if (versionId !== null) ids.set(number, versionId);
    noteStage(one, version);
  }
  await takeAliasesOf(one, id, told, ids);
};

/**
 * Takes over what another server has, model by model and version by version, each in a transaction of its own: cut
 * off at any moment, it goes on where it was, and what is the same as before is left as it is.
 */
export const importModels = async (
  worker: Worker,
  server: ModelServer,
  found: Pick<ImportView, 'id' | 'artifacts' | 'startedBy'>,
): Promise<Readonly<Record<string, number>>> => {
  const { run, actor, signal, progress } = worker;
  const counts: Record<string, number> = {};
  const models: ToldModel[] = [];
  for await (const told of theirModels(server)) models.push(told);
  // A list of files within a version counts for itself; whoever waits wants to know of the whole.
  const quiet = { ...worker, progress: () => Promise.resolve() };
  const shared = { worker: quiet, server, counts, artifacts: found.artifacts, by: found.startedBy };
  for (const [index, told] of models.entries()) {
    signal.throwIfAborted();
    await progress(
      index / models.length,
      `${told.name.slice(0, 100)} (${String(index + 1)} of ${String(models.length)})`,
    );
    const items: ImportItem[] = [];
    await takeOneModel({ ...shared, items }, told);
    await run(noteMlflowImport, actor, { importId: found.id, address: server.address, counts, items });
  }
  await run(finishMlflowImport, actor, {
    importId: found.id,
    state: 'DONE',
    message: `${String(models.length)} models of ${server.address}`,
  });
  return counts;
};
