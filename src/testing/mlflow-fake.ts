import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { atEnd } from './at-end.js';

/** A version as the small server keeps it. */
export interface FakeVersion {
  readonly name: string;
  readonly version: string;
  creation_timestamp: number;
  readonly source: string;
  readonly run_id: string;
  current_stage: string;
  status: string;
  readonly tags: { key: string; value: string }[];
}

/** A request that the small server got. */
export interface FakeRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

/** As much of an MLflow server as tests of the gate need, which writes down what it was asked. */
export interface FakeMlflow {
  readonly url: string;
  readonly requests: FakeRequest[];
  readonly models: Map<string, { aliases: Map<string, string>; versions: FakeVersion[] }>;
  /** Files by their path in the artifact proxy. */
  readonly files: Map<string, string>;
  /** When set, nothing is answered any more. */
  silent: boolean;
  addVersion(name: string, more?: Partial<FakeVersion>): FakeVersion;
}

type Said = Readonly<Record<string, string>>;

const modelView = (fake: FakeMlflow, name: string): object | null => {
  const model = fake.models.get(name);
  const aliases = [...(model?.aliases ?? [])].map(([alias, version]) => ({ alias, version }));
  return model ? { registered_model: { name, creation_timestamp: 1000, aliases } } : null;
};

const versionView = (fake: FakeMlflow, name: string, version: string | undefined): object | null => {
  const model = fake.models.get(name);
  const found = model?.versions.find((one) => one.version === version);
  const aliases = [...(model?.aliases ?? [])].filter(([, at]) => at === version).map(([alias]) => alias);
  return found ? { model_version: { ...found, aliases } } : null;
};

const setAlias = (fake: FakeMlflow, { name = '', alias = '', version = '' }: Said): object | null => {
  fake.models.get(name)?.aliases.set(alias, version);
  return {};
};

const verbs: Readonly<Record<string, (fake: FakeMlflow, said: Said) => object | null>> = {
  'POST registered-models/create': (fake, { name = '' }) => {
    if (!fake.models.has(name)) fake.models.set(name, { aliases: new Map(), versions: [] });
    return modelView(fake, name);
  },
  'GET registered-models/get': (fake, { name = '' }) => modelView(fake, name),
  'GET registered-models/search': (fake) => ({
    registered_models: [...fake.models.keys()].map(
      (name) => (modelView(fake, name) as { registered_model: object }).registered_model,
    ),
  }),
  'POST registered-models/alias': setAlias,
  'GET registered-models/alias': (fake, { name = '', alias = '' }) =>
    versionView(fake, name, fake.models.get(name)?.aliases.get(alias)),
  'DELETE registered-models/alias': (fake, { name = '', alias = '' }) => {
    fake.models.get(name)?.aliases.delete(alias);
    return {};
  },
  'DELETE registered-models/delete': (fake, { name = '' }) => (fake.models.delete(name) ? {} : null),
  'POST registered-models/rename': (fake, { name = '', new_name: to = '' }) => {
    const model = fake.models.get(name);
    if (model) fake.models.set(to, model);
    fake.models.delete(name);
    return modelView(fake, to);
  },
  'POST model-versions/create': (fake, { name = '', source = '', ...more }) => {
    const tags = (more as { tags?: FakeVersion['tags'] }).tags ?? [];
    const { version } = fake.addVersion(name, { source, tags });
    return versionView(fake, name, version);
  },
  'GET model-versions/get': (fake, { name = '', version }) => versionView(fake, name, version),
  'GET model-versions/search': (fake, { filter = '' }) => ({
    model_versions: fake.models.get(/'(.*)'/.exec(filter)?.[1] ?? '')?.versions ?? [],
  }),
  'GET model-versions/get-download-uri': (fake, { name = '', version }) => ({
    artifact_uri: fake.models.get(name)?.versions.find((one) => one.version === version)?.source,
  }),
  'POST model-versions/transition-stage': (fake, { name = '', version, stage = '' }) => {
    const found = fake.models.get(name)?.versions.find((one) => one.version === version);
    if (found) found.current_stage = stage;
    return versionView(fake, name, version);
  },
  'DELETE model-versions/delete': (fake, { name = '', version }) => {
    const model = fake.models.get(name);
    if (model) model.versions = model.versions.filter((one) => one.version !== version);
    return {};
  },
  'POST model-versions/set-tag': () => ({}),
};

const textOf = async (request: IncomingMessage): Promise<string> => {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return Buffer.concat(pieces).toString('utf8');
};

const filesBelow = (fake: FakeMlflow, folder: string): object => {
  const inside = [...fake.files.keys()].filter((path) => path.startsWith(`${folder}/`));
  const names = new Map(
    inside.map((path) => {
      const [name = '', ...rest] = path.slice(folder.length + 1).split('/');
      return [name, rest.length > 0] as const;
    }),
  );
  return { files: [...names].map(([path, isDir]) => ({ path, is_dir: isDir })) };
};

const artifactPrefix = '/api/2.0/mlflow-artifacts/artifacts';

const answerFile = async (fake: FakeMlflow, request: IncomingMessage, url: URL, response: ServerResponse) => {
  const path = decodeURIComponent(url.pathname.slice(artifactPrefix.length + 1));
  if (path === '') return response.end(JSON.stringify(filesBelow(fake, url.searchParams.get('path') ?? '')));
  if (request.method === 'PUT') fake.files.set(path, await textOf(request));
  const content = fake.files.get(path);
  response.statusCode = content === undefined ? 404 : 200;
  return response.end(request.method === 'PUT' ? '{}' : content);
};

const answerVerb = async (
  fake: FakeMlflow,
  request: IncomingMessage,
  url: URL,
  response: ServerResponse,
): Promise<void> => {
  const { method = '' } = request;
  const verb = verbs[`${method} ${url.pathname.replace('/api/2.0/mlflow/', '')}`];
  if (!verb) {
    response.setHeader('content-type', 'text/html');
    response.end(`<title>${method} ${url.pathname}</title>`);
    return;
  }
  const text = await textOf(request);
  const said = method === 'GET' ? Object.fromEntries(url.searchParams) : (JSON.parse(text || '{}') as Said);
  const body = verb(fake, said);
  response.statusCode = body === null ? 404 : 200;
  response.end(JSON.stringify(body ?? { error_code: 'RESOURCE_DOES_NOT_EXIST', message: 'not there' }));
};

const answer = async (
  fake: FakeMlflow,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> => {
  const url = new URL(request.url ?? '/', 'http://fake');
  const { method = '', headers } = request;
  fake.requests.push({ method, url: request.url ?? '', headers });
  if (fake.silent) return;
  response.setHeader('set-cookie', 'theirs=1');
  response.setHeader('content-type', 'application/json');
  if (url.pathname.startsWith(artifactPrefix)) await answerFile(fake, request, url, response);
  else await answerVerb(fake, request, url, response);
};

/** Opens the small server on this machine. */
export const openFakeMlflow = async (): Promise<FakeMlflow> => {
  const server = createServer((request, response) => {
    answer(fake, request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const fake: FakeMlflow = {
    url: `http://127.0.0.1:${String(port)}`,
    requests: [],
    models: new Map(),
    files: new Map(),
    silent: false,
    addVersion: (name, more = {}) => {
      const model = fake.models.get(name) ?? { aliases: new Map<string, string>(), versions: [] };
      fake.models.set(name, model);
      const number = Math.max(0, ...model.versions.map((one) => Number(one.version))) + 1;
      const version: FakeVersion = {
        name,
        version: String(number),
        creation_timestamp: 1000 + number,
        source: `mlflow-artifacts:/1/models/m-${name}-${String(number)}/artifacts`,
        run_id: '',
        current_stage: 'None',
        status: 'READY',
        tags: [],
        ...more,
      };
      model.versions.push(version);
      return version;
    },
  };
  atEnd(
    () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => {
          resolve();
        });
      }),
  );
  return fake;
};
