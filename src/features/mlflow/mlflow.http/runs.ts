import { z } from 'zod';
import { AppError } from '../../../kernel/errors.js';
import {
  int64,
  logBatch,
  loggedModelIdOf,
  logInputs,
  measured,
  retireRun,
  runIdOf,
  startRun,
  updateRun,
} from '../../tracking/index.js';
import { filesIn } from '../mlflow.queries/files.js';
import { metricHistory, runById, searchRuns } from '../mlflow.queries/runs.js';
import { viewType } from '../mlflow.queries/experiments.js';
import { numberOf } from './experiments.js';
import { folderOf } from './places.js';
import { keyValues, many, maxResults, nextPage, optional, required, route, searching } from './route.js';

/** Old clients send `run_uuid`, new ones both. */
const ofRun = { run_id: optional(100), run_uuid: optional(100) };

const idOf = (input: {
  run_id?: string | null | undefined;
  run_uuid?: string | null | undefined;
}): string => {
  const id = input.run_id ?? input.run_uuid ?? '';
  if (id !== '') return runIdOf(id);
  throw new AppError('INVALID_INPUT', 'Missing value for required parameter run_id', {
    fields: [{ path: 'run_id', message: 'is missing' }],
  });
};

/** Milliseconds since 1970, within the years that a date can have. */
const milliseconds = z.coerce.number().int().min(0).max(8.64e15);

const metric = z.object({
  key: z.string(),
  value: measured,
  timestamp: int64,
  step: int64.default(0),
  model_id: optional(100),
  dataset_name: optional(500),
  dataset_digest: optional(100),
});

const metricOf = (given: z.output<typeof metric>) => ({
  key: given.key,
  value: given.value,
  atMs: given.timestamp,
  step: given.step,
  modelId: given.model_id ? loggedModelIdOf(given.model_id) : null,
  datasetName: given.dataset_name ?? null,
  datasetDigest: given.dataset_digest ?? null,
});

const runStates = ['RUNNING', 'SCHEDULED', 'FINISHED', 'FAILED', 'KILLED'] as const;

const writing = [
  route(
    'POST',
    '/runs/create',
    z.object({
      experiment_id: z.string().max(100).default('0'),
      user_id: optional(256),
      run_name: optional(500),
      start_time: milliseconds.nullish(),
      tags: keyValues(1000),
    }),
    async (call, input) => {
      const { id } = await call.record(startRun, call.actor, {
        experiment: await numberOf(call, input.experiment_id),
        name: input.run_name ?? '',
        claimedUser: input.user_id ?? '',
        startedAt: input.start_time ? new Date(input.start_time) : null,
        tags: input.tags,
      });
      return { run: (await call.ask(runById, call.actor, { id })).run };
    },
  ),
  route(
    'POST',
    '/runs/update',
    z.object({
      ...ofRun,
      status: z.enum(runStates).nullish(),
      end_time: milliseconds.nullish(),
      run_name: optional(500),
    }),
    async (call, input) => {
      const id = idOf(input);
      const name = input.run_name || null;
      const endedAt = input.end_time ? new Date(input.end_time) : null;
      await call.record(updateRun, call.actor, { id, state: input.status, endedAt, name });
      return { run_info: (await call.ask(runById, call.actor, { id })).info };
    },
  ),
  ...(['delete', 'restore'] as const).map((verb) =>
    route('POST', `/runs/${verb}`, z.object(ofRun), async (call, input) => {
      await call.record(retireRun, call.actor, { id: idOf(input), deleted: verb === 'delete' });
      return {};
    }),
  ),
];

const telling = [
  route('POST', '/runs/log-metric', metric.extend(ofRun), async (call, input) => {
    await call.record(logBatch, call.actor, { runId: idOf(input), metrics: [metricOf(input)] });
    return {};
  }),
  route(
    'POST',
    '/runs/log-parameter',
    z.object({ ...ofRun, key: required(250), value: z.string() }),
    async (call, input) => {
      const { key, value } = input;
      await call.record(logBatch, call.actor, { runId: idOf(input), params: [{ key, value }] });
      return {};
    },
  ),
  route(
    'POST',
    '/runs/log-batch',
    z.object({
      ...ofRun,
      metrics: many(metric, 1000),
      params: keyValues(100),
      tags: keyValues(100),
    }),
    async (call, input) => {
      const { params, tags } = input;
      await call.record(logBatch, call.actor, {
        runId: idOf(input),
        metrics: input.metrics.map(metricOf),
        params,
        tags,
      });
      return {};
    },
  ),
  route(
    'POST',
    '/runs/set-tag',
    z.object({ ...ofRun, key: required(250), value: z.string() }),
    async (call, input) => {
      const { key, value } = input;
      await call.record(logBatch, call.actor, { runId: idOf(input), tags: [{ key, value }] });
      return {};
    },
  ),
  ...(['POST', 'DELETE'] as const).map((method) =>
    route(method, '/runs/delete-tag', z.object({ ...ofRun, key: required(250) }), async (call, input) => {
      await call.record(logBatch, call.actor, {
        runId: idOf(input),
        tags: [{ key: input.key, value: null }],
      });
      return {};
    }),
  ),
];

const dataset = z.object({
  tags: keyValues(100),
  dataset: z.object({
    name: required(500),
    digest: required(100),
    source_type: z.string().max(100),
    source: z.string(),
    schema: z.string().nullish(),
    profile: z.string().nullish(),
  }),
});

const model = z.object({ model_id: required(100), step: int64.default(0) });
const modelOf = (given: z.output<typeof model>) => ({
  modelId: loggedModelIdOf(given.model_id),
  step: given.step,
});

const linking = [
  route(
    'POST',
    '/runs/log-inputs',
    z.object({ ...ofRun, datasets: many(dataset, 1000), models: many(model, 1000) }),
    async (call, input) => {
      const datasets = input.datasets.map(({ dataset: given, tags }) => ({
        name: given.name,
        digest: given.digest,
        sourceType: given.source_type,
        source: given.source,
        schema: given.schema ?? null,
        profile: given.profile ?? null,
        tags,
      }));
      await call.record(logInputs, call.actor, {
        runId: idOf(input),
        datasets,
        inputs: input.models.map(modelOf),
      });
      return {};
    },
  ),
  route('POST', '/runs/outputs', z.object({ ...ofRun, models: many(model, 1000) }), async (call, input) => {
    await call.record(logInputs, call.actor, { runId: idOf(input), outputs: input.models.map(modelOf) });
    return {};
  }),
];

const reading = [
  route('GET', '/runs/get', z.object(ofRun), async (call, input) => ({
    run: (await call.ask(runById, call.actor, { id: idOf(input) })).run,
  })),
  route(
    'POST',
    '/runs/search',
    z.object({
      ...searching,
      experiment_ids: many(z.string().max(100), 1000),
      run_view_type: viewType,
      max_results: maxResults(1000, 50_000),
    }),
    async (call, input) => {
      const experiments = await Promise.all(input.experiment_ids.map((id) => numberOf(call, id)));
      const { runs, nextPageToken } = await call.ask(searchRuns, call.actor, {
        experiments,
        filter: input.filter,
        orderBy: input.order_by,
        pageToken: input.page_token,
        maxResults: input.max_results,
        view: input.run_view_type,
      });
      return { runs, ...nextPage(nextPageToken) };
    },
  ),
  route(
    'GET',
    '/metrics/get-history',
    z.object({
      ...ofRun,
      metric_key: required(250),
      max_results: maxResults(25_000, 1_000_000),
      page_token: searching.page_token,
    }),
    async (call, input) => {
      const { rows, nextPageToken } = await call.ask(metricHistory, call.actor, {
        runId: idOf(input),
        key: input.metric_key,
        maxResults: input.max_results,
        pageToken: input.page_token,
      });
      const metrics = rows.map(({ key, value, timestamp, step }) => ({ key, value, timestamp, step }));
      return { metrics, ...nextPage(nextPageToken) };
    },
  ),
  route('GET', '/artifacts/list', z.object({ ...ofRun, path: optional(2000) }), async (call, input) => {
    const id = idOf(input);
    const { info } = await call.ask(runById, call.actor, { id });
    const folder = folderOf(input.path ?? '');
    const listed = await call.ask(filesIn, call.actor, { of: { kind: 'run', id }, folder });
    const files = listed.map((file) => ({
      ...file,
      path: folder === '' ? file.path : `${folder}/${file.path}`,
    }));
    return { root_uri: info['artifact_uri'], files };
  }),
];

export const runRoutes = [...writing, ...telling, ...linking, ...reading];
