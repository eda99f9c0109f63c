import type { Side } from './servers.js';

/** One request of the official client, as recorded from it. */
export interface ClientRequest {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly path: string;
  readonly body?: string | Uint8Array<ArrayBuffer>;
}

/** An operation: the requests that the client makes for it, the n-th time. */
export interface Operation {
  readonly name: string;
  /** At least this times what MLflow does. */
  readonly goal: number;
  readonly requests: (n: number) => readonly ClientRequest[];
}

const prefix = '/api/2.0/mlflow';

const post = (path: string, body: object): ClientRequest => ({
  method: 'POST',
  path: `${prefix}/${path}`,
  body: JSON.stringify(body),
});
const get = (path: string, query: Readonly<Record<string, string>>): ClientRequest => ({
  method: 'GET',
  path: `${prefix}/${path}?${new URLSearchParams(query).toString()}`,
});

const modelOf = (n: number): string => `model-${String((n % 100) + 1)}`;

/** What there must be before: a run, and a logged model with its one file, closed. */
export interface Ready {
  readonly runId: string;
  readonly modelId: string;
}

const send = async (side: Side, request: ClientRequest): Promise<Record<string, unknown>> => {
  const response = await fetch(`${side.uri}${request.path}`, {
    method: request.method,
    headers: { 'content-type': 'application/json', ...side.headers },
    ...(request.body === undefined ? {} : { body: request.body }),
  });
  const text = await response.text();
  if (!response.ok)
    throw new Error(`${side.name}: ${request.path} ${String(response.status)} ${text.slice(0, 300)}`);
  return text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : {};
};

const description = `flavors:
  python_function:
    loader_module: mlflow.sklearn
mlflow_version: 3.17.2
`;

/** Begins a run and logs a small model in it. */
export const prepare = async (side: Side): Promise<Ready> => {
  const created = await send(
    side,
    post('runs/create', { experiment_id: '0', user_id: 'bench', start_time: Date.now() }),
  );
  const runId = (created['run'] as { info: { run_id: string } }).info.run_id;
  const logged = await send(
    side,
    post('logged-models', { experiment_id: '0', name: 'model', source_run_id: runId }),
  );
  const modelId = (logged['model'] as { info: { model_id: string } }).info.model_id;
  const place = `/api/2.0/mlflow-artifacts/artifacts/0/models/${modelId}/artifacts/MLmodel`;
  await fetch(`${side.uri}${place}`, { method: 'PUT', headers: side.headers, body: description });
  await fetch(`${side.uri}${prefix}/logged-models/${modelId}`, {
    method: 'PATCH',
    headers: { 'content-type': 'application/json', ...side.headers },
    body: JSON.stringify({ model_id: modelId, status: 'LOGGED_MODEL_READY' }),
  });
  // MLflow answers 400 when two requests are the first to log a metric of a run.
  await send(side, post('runs/log-batch', { run_id: runId, metrics: metricsOf(-1) }));
  return { runId, modelId };
};

const metricsOf = (n: number): object[] =>
  Array.from({ length: 1000 }, (_, index) => ({
    key: `metric-${String(index % 10)}`,
    value: Math.sin(n * 1000 + index),
    timestamp: 1_700_000_000_000 + n,
    step: n * 100 + Math.floor(index / 10),
  }));

const searches = (n: number): ClientRequest => {
  const queries = [
    { filter: `name='${modelOf(n)}'`, max_results: '100' },
    { filter: `tags.team = 'team-${String(n % 50)}'`, max_results: '100' },
    { filter: '', max_results: '100', order_by: 'creation_timestamp DESC' },
    { filter: `name LIKE 'model-${String(n % 10)}%'`, max_results: '100', order_by: 'version_number DESC' },
  ];
  return get('model-versions/search', queries[n % queries.length] ?? {});
};

/** What is measured under many connections. */
export const operationsOf = (ready: Ready, label: string): readonly Operation[] => [
  {
    name: 'register',
    goal: 3,
    requests: (n) => [
      post('registered-models/create', { name: `${label}-${String(n)}` }),
      post('model-versions/create', {
        name: `${label}-${String(n)}`,
        source: `models:/${ready.modelId}`,
        run_id: ready.runId,
        model_id: ready.modelId,
      }),
    ],
  },
  {
    name: 'set tag',
    goal: 0.9,
    requests: (n) => [
      post('registered-models/set-tag', { name: modelOf(n), key: `key-${String(n % 20)}`, value: String(n) }),
    ],
  },
  {
    name: 'alias',
    goal: 3,
    requests: (n) => [
      post('registered-models/alias', {
        name: modelOf(n),
        alias: 'candidate',
        version: String((n % 99) + 1),
      }),
    ],
  },
  { name: 'search', goal: 3, requests: (n) => [searches(n)] },
  {
    name: 'log 1,000 metrics',
    goal: 0.9,
    requests: (n) => [post('runs/log-batch', { run_id: ready.runId, metrics: metricsOf(n) })],
  },
];
