import { z } from 'zod';
import { AppError, notFound } from '../../../../kernel/errors.js';
import { parseInput } from '../../../../kernel/input.js';
import type { ServerAnswer } from '../../../../kernel/model-server.js';
import { isReservedTag, registeredByTag, renameModel, stageNamed } from '../../../registry/index.js';
import { protectedAmong } from '../../mlflow.queries/copies.js';
import { versionOfNumber } from '../../mlflow.queries/models.js';
import { spoken, versionView } from '../../mlflow.queries/version-view.js';
import { asDoor } from '../../upstream/front.js';
import { mirrored, mirrorVersion, type Mirror, type Mirrored } from '../../upstream/mirror.js';
import { theirVersions } from '../../upstream/reading.js';
import { toldVersion } from '../../upstream/told.js';
import { unlessProtected } from '../gate.js';
import { orNothing, requirePlainName } from '../registered-models.js';
import type { Route } from '../route.js';
import type { FrontCall } from './front-call.js';
import { readAlias } from './read-alias.js';

/** What goes on of what a client said: the fields that were judged, and no other spelling of them. */
const fields = [
  'name',
  'new_name',
  'description',
  'tags',
  'alias',
  'version',
  'key',
  'value',
  'stage',
  'archive_existing_versions',
  'source',
  'run_id',
  'run_link',
  'model_id',
] as const;

const forwarded = ({ said }: FrontCall): Record<string, unknown> =>
  Object.fromEntries(fields.filter((name) => said[name] !== undefined).map((name) => [name, said[name]]));

const forward = (front: FrontCall, input = forwarded(front)): Promise<ServerAnswer> =>
  front.server.ask({ method: front.route.method, path: `mlflow${front.route.path}`, input });

const mirrorOf = ({ call, server }: FrontCall): Mirror => ({
  run: call.run,
  ask: call.ask,
  server,
  actor: asDoor(call.actor),
});

const named = z.object({
  name: z.string().min(1).max(1000),
  version: z
    .union([z.string().max(100), z.number()])
    .transform(String)
    .nullish(),
});

const refuseName = (name: string): never => {
  const instead = 'Let it move to another version by a change request first; then this call succeeds.';
  throw new AppError('PRECONDITION_FAILED', `${name} is protected. ${instead}`, {
    rule: 'protected-alias',
    alias: name,
    instead,
  });
};

/** The names by which the other server finds what a call would take away. */
const namesThere = async (front: FrontCall, { told, version }: Mirrored): Promise<string[]> => {
  const { path, method } = front.route;
  if (path === '/model-versions/transition-stage') return [version?.current_stage ?? 'None'];
  if (path === '/model-versions/delete' && version !== null) {
    const number = String(version.version);
    const aliases = told.aliases.filter((one) => one.version === number).map(({ alias }) => alias);
    return [...aliases, version.current_stage];
  }
  const takesModel = path === '/registered-models/rename' || path === '/registered-models/delete';
  if (!takesModel || method === 'GET') return [];
  const versions = await theirVersions(front.server, told.name);
  return [...told.aliases.map(({ alias }) => alias), ...versions.map((one) => one.current_stage)];
};

/** What is protected by name there is not taken away either, also when nobody approved it here yet. */
const requireFreeThere = async (front: FrontCall, known: Mirrored): Promise<void> => {
  const { call, said, route } = front;
  const target = route.path === '/model-versions/transition-stage' ? stageNamed(String(said['stage'])) : null;
  const all = await namesThere(front, known);
  const names = [...new Set(all)].filter((name) => name !== 'None' && name !== '' && name !== target);
  if (names.length === 0) return;
  const [name] = await call.ask(protectedAmong, call.actor, { names });
  if (name === undefined) return;
  await unlessProtected(call, () => Promise.resolve().then(() => refuseName(name)));
};

type Body = Readonly<Record<string, unknown>>;

const isBody = (value: unknown): value is Body =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Adds what we say of a version to what the other server says: how intake and approvals stand. */
const withVerdict = async ({ call }: FrontCall, answer: ServerAnswer): Promise<ServerAnswer> => {
  const theirs = isBody(answer.body) ? answer.body['model_version'] : null;
  const told = toldVersion.safeParse(theirs).data;
  if (answer.status !== 200 || told === undefined || !isBody(theirs)) return answer;
  const input = { name: told.name, version: String(told.version) };
  const row = await call.ask(versionOfNumber, call.actor, input).catch(orNothing);
  if (row === null) return answer;
  const { status, status_message: message } = versionView(row);
  const ours = spoken(row);
  const own = Object.entries(told.tags).filter(([key]) => !isReservedTag(key));
  const all = [...own.map(([key, value]) => ({ key, value })), ...ours];
  return { status: 200, body: { model_version: { ...theirs, status, status_message: message, tags: all } } };
};

/** The name stands here first, so that none that only looks like another one comes to be there. */
const createModel = async (front: FrontCall): Promise<ServerAnswer> => {
  const { call, said, route } = front;
  const { name } = parseInput(named, said);
  requirePlainName(name);
  const kept = name.normalize('NFC').trim();
  await route.answer(call, said).catch((error: unknown) => {
    if (error instanceof AppError && error.details['rule'] === 'name-taken') return {};
    throw error;
  });
  return forward(front, { ...forwarded(front), name: kept, tags: ownTags(said['tags']) });
};

const tagList = z.array(z.object({ key: z.string(), value: z.string().default('') })).nullish();

const ownTags = (tags: unknown): { key: string; value: string }[] =>
  (parseInput(z.object({ tags: tagList }), { tags }).tags ?? []).filter(({ key }) => !isReservedTag(key));

/** The other server gives the number; who registered it is written there too, in case we go down before we write it. */
const createVersion = async (front: FrontCall): Promise<ServerAnswer> => {
  const { call, said, parts } = front;
  const { name } = parseInput(named, said);
  if (!parts.access.may(call.actor, 'modelVersion:create')) {
    throw new AppError('FORBIDDEN', 'Registering a version needs the permission modelVersion:create', {
      permission: 'modelVersion:create',
    });
  }
  const mirror = mirrorOf(front);
  const known = await mirrored(mirror, name, null);
  if (known === null) throw notFound(`Registered Model with name=${name.slice(0, 200)}`);
  const tags = [...ownTags(said['tags']), { key: registeredByTag, value: call.actor.id }];
  const answer = await forward(front, { ...forwarded(front), tags });
  const told = isBody(answer.body) ? toldVersion.safeParse(answer.body['model_version']).data : undefined;
  if (answer.status !== 200 || told === undefined) return answer;
  await mirrorVersion(mirror, known.modelId, told, call.actor.id);
  return withVerdict(front, answer);
};

const rename = async (front: FrontCall, known: Mirrored): Promise<ServerAnswer> => {
  const { call, said, route } = front;
  await route.answer(call, said);
  const undo = () => call.run(renameModel, call.actor, { modelId: known.modelId, name: known.told.name });
  const answer = await forward(front).catch(async (error: unknown) => {
    await undo();
    throw error;
  });
  if (answer.status !== 200) await undo();
  return answer;
};

/** What changes something: known here, judged here by the same rules as without another server, and then done there. */
const change = async (front: FrontCall): Promise<ServerAnswer> => {
  const { call, said, route } = front;
  const { name, version } = parseInput(named, said);
  const known = await mirrored(mirrorOf(front), name, version ?? null);
  if (known === null) return forward(front);
  await requireFreeThere(front, known);
  if (route.path === '/registered-models/rename') return rename(front, known);
  const done = route.answer(call, said);
  // What is gone here already may still stand there, when that server was away the first time.
  await (route.method === 'DELETE' ? done.catch(orNothing) : done);
  return withVerdict(front, await forward(front));
};

const special: Readonly<Record<string, (front: FrontCall) => Promise<ServerAnswer>>> = {
  'POST /registered-models/create': createModel,
  'POST /model-versions/create': createVersion,
  'GET /model-versions/get': async (front) => withVerdict(front, await forward(front)),
  'GET /registered-models/alias': async (front) =>
    withVerdict(front, await readAlias(front, (input) => forward(front, input))),
};

/** Whether a route is answered here, and not simply passed on. */
export const isGated = ({ method, path }: Pick<Route, 'method' | 'path'>): boolean => {
  if (!/^\/(registered-models|model-versions)\//.test(path)) return false;
  return `${method} ${path}` in special || (method !== 'GET' && !path.endsWith('/get-latest-versions'));
};

/** Answers a call of the registry in front of another server. */
export const answerInFront = (front: FrontCall): Promise<ServerAnswer> =>
  (special[`${front.route.method} ${front.route.path}`] ?? change)(front);
