import { z } from 'zod';
import { systemActor } from '../../../kernel/actor.js';
import { AppError } from '../../../kernel/errors.js';
import {
  createExperiment,
  openDefaultExperiment,
  renameExperiment,
  retireExperiment,
  tagExperiment,
} from '../../tracking/index.js';
import { experimentBy, searchExperiments, viewType } from '../mlflow.queries/experiments.js';
import { experimentNumber } from '../mlflow.queries/runs.js';
import {
  asObject,
  keyValues,
  maxResults,
  nextPage,
  optional,
  required,
  route,
  searching,
  type Call,
} from './route.js';

const known = new Set<string>();

/** Every workspace has experiment 0; it is opened when it is first looked for. */
export const withDefault = async ({ run, actor }: Pick<Call, 'run' | 'actor'>): Promise<void> => {
  const { workspaceId, organizationId } = actor;
  if (workspaceId === null || known.has(workspaceId)) return;
  await run(openDefaultExperiment, systemActor('door:mlflow', { workspaceId, organizationId }), {});
  if (known.size > 10_000) known.clear();
  known.add(workspaceId);
};

const numbered = { experiment_id: z.string().max(100).default('') };

/** The number of an experiment that is asked for. */
export const numberOf = async (call: Pick<Call, 'run' | 'actor'>, text: string): Promise<number> => {
  const number = experimentNumber(text);
  if (number === 0) await withDefault(call);
  return number;
};

export const experimentRoutes = [
  route(
    'POST',
    '/experiments/create',
    z.object({ name: required(2000), tags: keyValues(200), artifact_location: optional(2000) }),
    async (call, { name, tags, artifact_location: location }) => {
      if (location) {
        throw new AppError(
          'INVALID_INPUT',
          'artifact_location cannot be chosen: files are kept here, under their digests',
          {
            fields: [{ path: 'artifact_location', message: 'must be left out' }],
          },
        );
      }
      const { number } = await call.run(createExperiment, call.actor, { name, tags: asObject(tags) });
      return { experiment_id: String(number) };
    },
  ),
  route('GET', '/experiments/get', z.object(numbered), async (call, { experiment_id: id }) => ({
    experiment: await call.ask(experimentBy, call.actor, { number: await numberOf(call, id) }),
  })),
  route(
    'GET',
    '/experiments/get-by-name',
    z.object({ experiment_name: required(500) }),
    async (call, input) => {
      if (input.experiment_name === 'Default') await withDefault(call);
      return { experiment: await call.ask(experimentBy, call.actor, { name: input.experiment_name }) };
    },
  ),
  ...(['POST', 'GET'] as const).map((method) =>
    route(
      method,
      '/experiments/search',
      z.object({ ...searching, max_results: maxResults(1000, 50_000), view_type: viewType }),
      async (call, input) => {
        await withDefault(call);
        const { experiments, nextPageToken } = await call.ask(searchExperiments, call.actor, {
          filter: input.filter,
          orderBy: input.order_by,
          pageToken: input.page_token,
          maxResults: input.max_results,
          view: input.view_type,
        });
        return { experiments, ...nextPage(nextPageToken) };
      },
    ),
  ),
  route(
    'POST',
    '/experiments/update',
    z.object({ ...numbered, new_name: required(500) }),
    async (call, input) => {
      const number = await numberOf(call, input.experiment_id);
      await call.run(renameExperiment, call.actor, { number, name: input.new_name });
      return {};
    },
  ),
  ...(['delete', 'restore'] as const).map((verb) =>
    route('POST', `/experiments/${verb}`, z.object(numbered), async (call, input) => {
      const number = await numberOf(call, input.experiment_id);
      await call.run(retireExperiment, call.actor, { number, deleted: verb === 'delete' });
      return {};
    }),
  ),
  route(
    'POST',
    '/experiments/set-experiment-tag',
    z.object({ ...numbered, key: required(250), value: z.string().max(20_000) }),
    async (call, { experiment_id: id, key, value }) => {
      await call.run(tagExperiment, call.actor, { number: await numberOf(call, id), key, value });
      return {};
    },
  ),
  ...(['POST', 'DELETE'] as const).map((method) =>
    route(
      method,
      '/experiments/delete-experiment-tag',
      z.object({ ...numbered, key: required(250) }),
      async (call, { experiment_id: id, key }) => {
        await call.run(tagExperiment, call.actor, { number: await numberOf(call, id), key, value: null });
        return {};
      },
    ),
  ),
];
