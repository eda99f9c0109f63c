import { z } from 'zod';
import {
  addLoggedModelParams,
  createLoggedModel,
  deleteLoggedModel,
  finalizeLoggedModel,
  loggedModelIdOf,
  runIdOf,
  tagLoggedModel,
} from '../../tracking/index.js';
import { filesIn } from '../mlflow.queries/files.js';
import { loggedModelById, searchLoggedModels } from '../mlflow.queries/logged-models.js';
import { numberOf } from './experiments.js';
import { folderOf } from './places.js';
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
  type Call,
} from './route.js';

const ofModel = { model_id: required(100) };

const shown = async (call: Call, id: string): Promise<object> => ({
  model: await call.ask(loggedModelById, call.actor, { id }),
});

const ordering = z
  .array(
    z.union([
      z.string().max(10_000),
      z.object({ field_name: z.string().max(1000), ascending: z.boolean().default(true) }),
    ]),
  )
  .max(10)
  .nullish();

/** Clients of logged models order by objects, all others by text. */
const orderTexts = (terms: z.output<typeof ordering>): string[] =>
  (terms ?? []).map((term) =>
    typeof term === 'string' ? term : `${term.field_name} ${term.ascending ? 'ASC' : 'DESC'}`,
  );

export const loggedModelRoutes = [
  route(
    'POST',
    '/logged-models',
    z.object({
      experiment_id: z.string().max(100).default('0'),
      name: optional(250),
      model_type: optional(500),
      source_run_id: optional(100),
      params: keyValues(100),
      tags: keyValues(100),
    }),
    async (call, input) => {
      const { id } = await call.run(createLoggedModel, call.actor, {
        experiment: await numberOf(call, input.experiment_id),
        name: input.name || null,
        modelType: input.model_type ?? '',
        sourceRunId: input.source_run_id ? runIdOf(input.source_run_id) : null,
        params: asObject(input.params),
        tags: asObject(input.tags),
      });
      return shown(call, id);
    },
  ),
  route(
    'POST',
    '/logged-models/search',
    z.object({
      experiment_ids: many(z.string().max(100), 1000),
      filter: searching.filter,
      order_by: ordering,
      page_token: searching.page_token,
      max_results: maxResults(50, 1000),
    }),
    async (call, input) => {
      const experiments = await Promise.all(input.experiment_ids.map((id) => numberOf(call, id)));
      const { models, nextPageToken } = await call.ask(searchLoggedModels, call.actor, {
        experiments,
        filter: input.filter,
        orderBy: orderTexts(input.order_by),
        pageToken: input.page_token,
        maxResults: input.max_results,
      });
      return { models, ...nextPage(nextPageToken) };
    },
  ),
  route('GET', '/logged-models/:model_id', z.object(ofModel), (call, input) =>
    shown(call, loggedModelIdOf(input.model_id)),
  ),
  route(
    'PATCH',
    '/logged-models/:model_id',
    z.object({ ...ofModel, status: z.enum(['LOGGED_MODEL_READY', 'LOGGED_MODEL_UPLOAD_FAILED']) }),
    async (call, input) => {
      const id = loggedModelIdOf(input.model_id);
      const state = input.status === 'LOGGED_MODEL_READY' ? 'READY' : 'UPLOAD_FAILED';
      await call.run(finalizeLoggedModel, call.actor, { id, state });
      return shown(call, id);
    },
  ),
  route('DELETE', '/logged-models/:model_id', z.object(ofModel), async (call, input) => {
    await call.run(deleteLoggedModel, call.actor, { id: loggedModelIdOf(input.model_id) });
    return {};
  }),
  route(
    'PATCH',
    '/logged-models/:model_id/tags',
    z.object({ ...ofModel, tags: keyValues(1000) }),
    async (call, input) => {
      const id = loggedModelIdOf(input.model_id);
      await call.run(tagLoggedModel, call.actor, { id, tags: asObject(input.tags) });
      return {};
    },
  ),
  route(
    'DELETE',
    '/logged-models/:model_id/tags/:tag_key',
    z.object({ ...ofModel, tag_key: required(250) }),
    async (call, input) => {
      const id = loggedModelIdOf(input.model_id);
      await call.run(tagLoggedModel, call.actor, { id, tags: { [input.tag_key]: null } });
      return {};
    },
  ),
  route(
    'POST',
    '/logged-models/:model_id/params',
    z.object({ ...ofModel, params: keyValues(100) }),
    async (call, input) => {
      const id = loggedModelIdOf(input.model_id);
      await call.run(addLoggedModelParams, call.actor, { id, params: asObject(input.params) });
      return {};
    },
  ),
  route(
    'GET',
    '/logged-models/:model_id/artifacts/directories',
    z.object({ ...ofModel, artifact_directory_path: optional(2000), page_token: searching.page_token }),
    async (call, input) => {
      const id = loggedModelIdOf(input.model_id);
      const folder = folderOf(input.artifact_directory_path ?? '');
      const listed = await call.ask(filesIn, call.actor, { of: { kind: 'loggedModel', id }, folder });
      const model = await call.ask(loggedModelById, call.actor, { id });
      const info = model['info'];
      const root =
        typeof info === 'object' && info !== null && 'artifact_uri' in info ? info.artifact_uri : '';
      const files = listed.map((file) => ({
        ...file,
        path: folder === '' ? file.path : `${folder}/${file.path}`,
      }));
      return { root_uri: root, files };
    },
  ),
];
