import type { SystemActor } from '../../../kernel/actor.js';
import type { RunCommand } from '../../../kernel/command.js';
import type { ModelServer } from '../../../kernel/model-server.js';
import type { AskQuery } from '../../../kernel/query.js';
import { modelName } from '../../registry/index.js';
import { compareUpstream } from '../mlflow.commands/differences.js';
import { isSameVersion } from '../mlflow.commands/take-version.js';
import { copiedModels, modelStanding, protectedAmong, type ModelStanding } from '../mlflow.queries/copies.js';
import { mirrorModel, mirrorVersion } from './mirror.js';
import { theirModels, theirVersions } from './reading.js';
import type { ToldModel, ToldVersion } from './told.js';

interface Looker {
  readonly run: RunCommand;
  readonly ask: AskQuery;
  readonly actor: SystemActor;
  readonly signal: AbortSignal;
}

interface Difference {
  readonly what: string;
  readonly ours: string;
  readonly theirs: string;
}

const standing = (versions: readonly number[]): string =>
  versions.length === 0 ? 'nothing' : `version ${[...versions].sort((one, other) => one - other).join(', ')}`;

type Names = readonly { readonly name: string; readonly version: number }[];

const differencesOf = (kind: 'alias' | 'stage', ours: Names, theirs: Names, guarded: ReadonlySet<string>) => {
  const names = new Set([...ours, ...theirs].map(({ name }) => name).filter((name) => guarded.has(name)));
  const at = (all: Names, name: string): string =>
    standing(all.filter((one) => one.name === name).map(({ version }) => version));
  return [...names]
    .map((name): Difference => ({ what: `${kind}:${name}`, ours: at(ours, name), theirs: at(theirs, name) }))
    .filter((one) => one.ours !== one.theirs)
    .map((one) => (one.ours === 'nothing' ? { ...one, ours: 'nothing that was approved' } : one));
};

/** Copies versions that are not known yet; names those that are others than the ones known here. */
const lookAtVersions = async (
  { run, ask, actor }: Looker,
  server: ModelServer,
  { modelId, known, there }: { modelId: string; known: ModelStanding; there: readonly ToldVersion[] },
): Promise<Difference[]> => {
  const byNumber = new Map(known.versions.map((one) => [one.version, one]));
  const found: Difference[] = [];
  for (const told of there) {
    const copy = byNumber.get(told.version);
    if (copy?.facts && isSameVersion(copy.facts, told)) continue;
    const { taken } = await mirrorVersion({ run, ask, actor, server }, modelId, told);
    if (taken !== 'DIFFERENT' && taken !== 'FOREIGN') continue;
    const ours = 'what was registered through the gate';
    found.push({
      what: `version:${String(told.version)}`,
      ours,
      theirs: `another one, from ${told.source}`.slice(0, 400),
    });
  }
  return found;
};

const lookAt = async (looker: Looker, server: ModelServer, told: ToldModel): Promise<string | null> => {
  const { run, ask, actor } = looker;
  if (!modelName.safeParse(told.name).success) return null;
  const { id: modelId, taken } = await mirrorModel({ run, ask, actor, server }, told);
  if (taken === 'FOREIGN') return null;
  const [known, there] = await Promise.all([
    ask(modelStanding, actor, { modelId }),
    theirVersions(server, told.name),
  ]);
  const versions = await lookAtVersions(looker, server, { modelId, known, there });
  const aliases = told.aliases.map(({ alias, version }) => ({ name: alias, version: Number(version) }));
  const stages = there
    .filter((one) => one.current_stage !== 'None' && one.current_stage !== '')
    .map((one) => ({ name: one.current_stage, version: one.version }));
  const names = [...known.aliases, ...known.stages, ...aliases, ...stages].map(({ name }) => name);
  const guarded = new Set(await ask(protectedAmong, actor, { names: [...new Set(names)].slice(0, 5000) }));
  const differences = [
    ...versions,
    ...differencesOf('alias', known.aliases, aliases, guarded),
    ...differencesOf('stage', known.stages, stages, guarded),
  ];
  await run(compareUpstream, actor, { modelId, address: server.address, about: null, differences });
  return modelId;
};

/** Holds the server that we stand in front of against what is known here; what nobody knew is copied. */
export const reconcile = async (looker: Looker, server: ModelServer): Promise<void> => {
  const { run, ask, actor, signal } = looker;
  const seen = new Set<string>();
  for await (const told of theirModels(server)) {
    signal.throwIfAborted();
    const id = await lookAt(looker, server, told);
    if (id !== null) seen.add(id);
  }
  for (const { id, name } of await ask(copiedModels, actor, { address: server.address })) {
    if (seen.has(id)) continue;
    const differences = [{ what: 'model', ours: name.slice(0, 400), theirs: 'nothing' }];
    await run(compareUpstream, actor, { modelId: id, address: server.address, about: null, differences });
  }
};
