import type { SystemActor } from '../../../kernel/actor.js';
import type { RunCommand } from '../../../kernel/command.js';
import { AppError } from '../../../kernel/errors.js';
import type { ModelServer } from '../../../kernel/model-server.js';
import { takeModel, type TakenModel } from '../mlflow.commands/take-model.js';
import { takeVersion, type TakenVersion } from '../mlflow.commands/take-version.js';
import { registeredByTag } from '../mlflow.commands/taken-tags.js';
import { theirLocation, theirModel, theirRun, theirVersion } from './reading.js';
import type { ToldModel, ToldVersion } from './told.js';

/** What a copy is made with. It is the product that copies, whoever's call made it look. */
export interface Mirror {
  readonly run: RunCommand;
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

/**
 * Makes sure that what a call is about is known here, under the same name and number and made of the same; null when
 * the other server does not know the model.
 */
export const mirrored = async (
  mirror: Mirror,
  name: string,
  version: string | null,
): Promise<Mirrored | null> => {
  const told = await theirModel(mirror.server, name);
  if (told === null) return null;
  const { id: modelId, taken } = await mirrorModel(mirror, told);
  if (taken === 'FOREIGN') throw differs(name, 'any', mirror.server.address);
  if (version === null) return { modelId, told, version: null };
  const toldOfVersion = await theirVersion(mirror.server, name, version);
  if (toldOfVersion === null) return { modelId, told, version: null };
  const copy = await mirrorVersion(mirror, modelId, toldOfVersion);
  if (copy.taken === 'DIFFERENT' || copy.taken === 'FOREIGN') {
    throw differs(name, version, mirror.server.address);
  }
  return { modelId, told, version: toldOfVersion };
};
