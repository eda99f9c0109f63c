import type { SystemActor } from '../../../kernel/actor.js';
import type { RunCommand } from '../../../kernel/command.js';
import { AppError } from '../../../kernel/errors.js';
import type { ModelServer } from '../../../kernel/model-server.js';
import type { AskQuery } from '../../../kernel/query.js';
import { registeredByTag } from '../../registry/index.js';
import { takeModel, type TakenModel } from '../mlflow.commands/take-model.js';
import { isSameVersion, takeVersion, type TakenVersion } from '../mlflow.commands/take-version.js';
import { knownCopy } from '../mlflow.queries/copies.js';
import { theirLocation, theirModel, theirRun, theirVersion } from './reading.js';
import type { ToldModel, ToldVersion, VersionFacts } from './told.js';

/** What a copy is made with. It is the product that copies, whoever's call made it look. */
export interface Mirror {
  readonly run: RunCommand;
  readonly ask: AskQuery;
  readonly actor: SystemActor;
  readonly server: ModelServer;
}

const uuid = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/;

/** Whoever registered a version through us is its maker; of what was there before nobody is known. */
const makerOf = ({ tags }: ToldVersion): string => {
  const said = tags[registeredByTag] ?? '';
  return uuid.test(said) ? said : 'door:mlflow';
};

/** The model of the other server, copied if need be. */
export const mirrorModel = ({ run, actor, server }: Mirror, told: ToldModel): Promise<TakenModel> =>
  run(takeModel, actor, { address: server.address, told, by: 'door:mlflow', adopt: true });

/** The version of the other server, copied if need be; a job fetches its files. */
export const mirrorVersion = async (
  { run, actor, server }: Mirror,
  modelId: string,
  told: ToldVersion,
  by: string = makerOf(told),
): Promise<TakenVersion> => {
  const [location, lineage] = await Promise.all([theirLocation(server, told), theirRun(server, told.run_id)]);
  const address = server.address;
  const given = { modelId, address, told, run: lineage, location: location ?? '', by, fetchLater: true };
  return run(takeVersion, actor, given);
};

const differs = (name: string, version: string, address: string): AppError =>
  new AppError(
    'FORBIDDEN',
    `Version ${version} of ${name} in the MLflow server ${address} is not the one that is known here: it was made anew, or here there is another one of this number`,
    { rule: 'upstream-differs' },
  );

/** What is known of a name that a call is about. */
export interface Mirrored {
  readonly modelId: string;
  readonly told: ToldModel;
  readonly version: ToldVersion | null;
}

const modelOf = async (mirror: Mirror, told: ToldModel): Promise<string> => {
  const { id, taken } = await mirrorModel(mirror, told);
  if (taken === 'FOREIGN') throw differs(told.name, 'any', mirror.server.address);
  return id;
};

const requireSame = async (
  mirror: Mirror,
  { modelId, facts }: { modelId: string; facts: VersionFacts | null },
  told: ToldVersion,
): Promise<void> => {
  if (facts !== null && isSameVersion(facts, told)) return;
  const { taken } = await mirrorVersion(mirror, modelId, told);
  if (taken !== 'DIFFERENT' && taken !== 'FOREIGN') return;
  throw differs(told.name, String(told.version), mirror.server.address);
};

/**
 * Makes sure that what a call is about is known here, under the same name and number and made of the same; null when
 * the other server does not know the model.
 */
export const mirrored = async (
  mirror: Mirror,
  name: string,
  version: string | null,
): Promise<Mirrored | null> => {
  const { server, ask, actor } = mirror;
  const told = await theirModel(server, name);
  if (told === null) return null;
  const number = version !== null && /^\d{1,9}$/.test(version) ? Number(version) : null;
  const known = await ask(knownCopy, actor, { address: server.address, name, version: number });
  const modelId = known?.modelId ?? (await modelOf(mirror, told));
  const toldOfVersion = number === null ? null : await theirVersion(server, name, number);
  if (toldOfVersion !== null) {
    await requireSame(mirror, { modelId, facts: known?.version ?? null }, toldOfVersion);
  }
  return { modelId, told, version: toldOfVersion };
};
