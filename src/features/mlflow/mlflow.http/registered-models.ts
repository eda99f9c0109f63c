import { z } from 'zod';
import { AppError, conflict, invalidInput } from '../../../kernel/errors.js';
import {
  createModel,
  deleteAlias,
  deleteModel,
  deleteTag,
  foldName,
  isReservedTag,
  renameModel,
  setAlias,
  setTag,
  updateModel,
} from '../../registry/index.js';
import { modelKey } from '../mlflow.queries/keys.js';
import {
  latestVersions,
  modelOfName,
  newModelView,
  searchModels,
  versionOfAlias,
} from '../mlflow.queries/models.js';
import { versionView } from '../mlflow.queries/version-view.js';
import { moveName, unlessProtected } from './gate.js';
import {
  asObject,
  keyValues,
  many,
  maxResults,
  nextPage,
  optional,
  required,
  route,
  searching,
  versionText,
  type Call,
} from './route.js';
import { stageOf } from './stages.js';

const named = { name: required(1000) };

/** The signs that would make another address of a name. */
export const requirePlainName = (name: string): void => {
  if (!/[/:]/.test(name)) return;
  throw invalidInput(`Invalid model name '${name.slice(0, 200)}'. Names cannot contain '/' or ':'.`, [
    { path: 'name', message: "must not contain '/' or ':'" },
  ]);
};

const shown = async ({ ask, actor }: Call, name: string): Promise<object> => ({
  registered_model: await ask(modelOfName, actor, { name }),
});

const idOf = async ({ ask, actor }: Call, name: string): Promise<string> =>
  (await ask(modelKey, actor, { name })).id;

/** What reads the same is no model to register into: a client goes on when it hears that a name exists already. */
const orReadsAlike = (name: string) => (error: unknown) => {
  const taken =
    error instanceof AppError && error.details['rule'] === 'name-taken' ? error.details['name'] : null;
  if (typeof taken !== 'string') throw error;
  if (taken === name) {
    throw conflict(`Registered Model (name=${name}) already exists.`, { rule: 'name-taken', name });
  }
  throw conflict(`There is a model whose name reads the same: ${taken}`, {
    rule: 'name-reads-alike',
    name: taken,
  });
};

const models = [
  route(
    'POST',
    '/registered-models/create',
    z.object({ ...named, tags: keyValues(200), description: optional(10_000) }),
    async (call, { name, tags, description }) => {
      requirePlainName(name);
      const text = description ?? '';
      const { id, createdAt } = await call
        .run(createModel, call.actor, { name, description: text, kind: 'MLFLOW' })
        .catch(orReadsAlike(name));
      // A name is kept in one form, whatever form it was sent in.
      const kept = name.normalize('NFC').trim();
      const own = Object.entries(asObject(tags.filter(({ key: one }) => !isReservedTag(one))));
      for (const [key, value] of own) await call.run(setTag, call.actor, { modelId: id, key, value });
      if (own.length > 0) return shown(call, kept);
      return {
        registered_model: newModelView({
          id,
          name: kept,
          description: text,
          createdBy: call.actor.id,
          createdAt,
        }),
      };
    },
  ),
  route('GET', '/registered-models/get', z.object(named), (call, { name }) => shown(call, name)),
  route(
    'GET',
    '/registered-models/search',
    z.object({ ...searching, max_results: maxResults(100, 1000) }),
    async (call, input) => {
      const { models: found, nextPageToken } = await call.ask(searchModels, call.actor, {
        filter: input.filter,
        orderBy: input.order_by,
        pageToken: input.page_token,
        maxResults: input.max_results,
      });
      return { registered_models: found, ...nextPage(nextPageToken) };
    },
  ),
  route(
    'PATCH',
    '/registered-models/update',
    z.object({ ...named, description: optional(10_000) }),
    async (call, { name, description }) => {
      const modelId = await idOf(call, name);
      await call.run(updateModel, call.actor, { modelId, description: description ?? '' });
      return shown(call, name);
    },
  ),
  route(
    'POST',
    '/registered-models/rename',
    z.object({ ...named, new_name: required(1000) }),
    async (call, { name, new_name: newName }) => {
      requirePlainName(newName);
      const modelId = await idOf(call, name);
      const rename = () =>
        call.run(renameModel, call.actor, { modelId, name: newName }).catch(orReadsAlike(newName));
      await unlessProtected(call, rename);
      return shown(call, newName.normalize('NFC').trim());
    },
  ),
  route('DELETE', '/registered-models/delete', z.object(named), async (call, { name }) => {
    const modelId = await idOf(call, name);
    await unlessProtected(call, () => call.run(deleteModel, call.actor, { modelId }));
    return {};
  }),
  ...(['POST', 'GET'] as const).map((method) =>
    route(
      method,
      '/registered-models/get-latest-versions',
      z.object({ ...named, stages: many(z.string().max(100), 20) }),
      async (call, { name, stages }) => ({
        model_versions: await call.ask(latestVersions, call.actor, {
          name,
          stages: stages.length === 0 ? null : stages.map(stageOf),
        }),
      }),
    ),
  ),
];

const tags = [
  route(
    'POST',
    '/registered-models/set-tag',
    z.object({ ...named, key: required(250), value: z.string().max(100_000).default('') }),
    async (call, { name, key, value }) => {
      await call.run(setTag, call.actor, { modelId: await idOf(call, name), key, value });
      return {};
    },
  ),
  route(
    'DELETE',
    '/registered-models/delete-tag',
    z.object({ ...named, key: required(250) }),
    async (call, input) => {
      const modelId = await idOf(call, input.name);
      await call.run(deleteTag, call.actor, { modelId, key: input.key }).catch(orNothing);
      return {};
    },
  ),
];

/** Taking away what is not there is no fault of a client. */
export const orNothing = (error: unknown): null => {
  if (error instanceof AppError && error.code === 'NOT_FOUND') return null;
  throw error;
};

const aliasText = z
  .string({ error: 'is missing or no text' })
  .min(1, 'must not be empty')
  .max(255)
  .refine((alias) => /^[\w-]*$/.test(alias), 'may only contain letters, digits, underscores and dashes');

const requireFree = (alias: string): void => {
  const folded = foldName(alias);
  if (folded === 'latest' || /^v\d+$/.test(folded)) {
    throw invalidInput(`'${alias}' alias name (case insensitive) is reserved.`, [
      { path: 'alias', message: 'is reserved' },
    ]);
  }
};

const aliases = [
  route(
    'POST',
    '/registered-models/alias',
    z.object({ ...named, alias: aliasText, version: versionText }),
    async (call, { name, alias, version: number }) => {
      requireFree(alias);
      await moveName(
        call,
        { name, version: number, alias },
        {
          isThere: ({ isThere }) => isThere,
          plain: ({ modelId, id: versionId }) =>
            call.run(setAlias, call.actor, { modelId, name: alias, versionId }),
        },
      );
      return {};
    },
  ),
  route('GET', '/registered-models/alias', z.object({ ...named, alias: aliasText }), async (call, input) => ({
    model_version: versionView(await call.ask(versionOfAlias, call.actor, input)),
  })),
  route(
    'DELETE',
    '/registered-models/alias',
    z.object({ ...named, alias: aliasText }),
    async (call, input) => {
      requireFree(input.alias);
      const modelId = await idOf(call, input.name);
      const remove = () => call.run(deleteAlias, call.actor, { modelId, name: input.alias });
      await unlessProtected(call, () => remove().catch(orNothing));
      return {};
    },
  ),
];

export const registeredModelRoutes = [...models, ...tags, ...aliases];
