import { z } from 'zod';
import { AppError, conflict, notFound } from '../../../kernel/errors.js';
import type { ModelServer, ServerAnswer, ServerQuestion } from '../../../kernel/model-server.js';
import { artifactPath } from '../../registry/index.js';
import {
  proxyPathOf,
  runOf,
  toldModel,
  toldRun,
  toldVersion,
  type ToldModel,
  type ToldVersion,
} from './told.js';

const refusalOf = z.object({ error_code: z.string().max(200), message: z.string().max(10_000).default('') });

/** What the other server refused, in its words. */
export const theirRefusal = ({ address }: ModelServer, { status, body }: ServerAnswer): AppError => {
  const said = refusalOf.safeParse(body).data;
  const code = said?.error_code ?? `HTTP ${String(status)}`;
  const words = `The MLflow server ${address} refused: ${code} ${said?.message ?? ''}`.trim();
  if (code === 'RESOURCE_DOES_NOT_EXIST') return notFound(`${said?.message ?? 'It'} (there)`);
  return conflict(words, { rule: 'upstream-refused', status, code });
};

const answered = async (server: ModelServer, question: ServerQuestion): Promise<unknown> => {
  const answer = await server.ask(question);
  if (answer.status === 200) return answer.body;
  throw theirRefusal(server, answer);
};

/** Asks, and refuses an answer of another form than was agreed. */
const read = async <Schema extends z.ZodType>(
  server: ModelServer,
  question: ServerQuestion,
  schema: Schema,
): Promise<z.output<Schema>> => {
  const parsed = schema.safeParse(await answered(server, question));
  if (parsed.success) return parsed.data;
  throw new AppError(
    'INTERNAL',
    `The MLflow server ${server.address} answered ${question.path} in a form that is not understood`,
    { rule: 'upstream-answer' },
  );
};

const orNull = async <Result>(answer: Promise<Result>): Promise<Result | null> =>
  answer.catch((error: unknown) => {
    if (error instanceof AppError && error.code === 'NOT_FOUND') return null;
    throw error;
  });

const get = (path: string, input: Readonly<Record<string, unknown>>): ServerQuestion => ({
  method: 'GET',
  path: `mlflow/${path}`,
  input,
});

/** The model of this name there, or null. */
export const theirModel = (server: ModelServer, name: string): Promise<ToldModel | null> =>
  orNull(
    read(server, get('registered-models/get', { name }), z.object({ registered_model: toldModel })).then(
      (answer) => answer.registered_model,
    ),
  );

/** The version there, or null. */
export const theirVersion = (
  server: ModelServer,
  name: string,
  version: number | string,
): Promise<ToldVersion | null> =>
  orNull(
    read(
      server,
      get('model-versions/get', { name, version: String(version) }),
      z.object({ model_version: toldVersion }),
    ).then((answer) => answer.model_version),
  );

/** What the run of a version was; null when it is not there any more. */
export const theirRun = async (server: ModelServer, runId: string) => {
  if (!/^[0-9a-f]{32}$/.test(runId)) return null;
  const answer = await orNull(read(server, get('runs/get', { run_id: runId }), z.object({ run: toldRun })));
  return answer === null ? null : runOf(answer.run);
};

/** Where the files of a version stand in the artifact proxy; null: elsewhere. */
export const theirLocation = async (
  server: ModelServer,
  { name, version }: Pick<ToldVersion, 'name' | 'version'>,
): Promise<string | null> => {
  const { artifact_uri: uri } = await read(
    server,
    get('model-versions/get-download-uri', { name, version: String(version) }),
    z.object({ artifact_uri: z.string().max(4000) }),
  );
  return proxyPathOf(uri);
};

const token = z
  .string()
  .nullish()
  .transform((given) => (given === '' || given === undefined ? null : given));

const mostPages = 100_000;

/** Walks through pages; a server that leads in a circle is left. */
async function* pagesOf<Item>(
  page: (token: string | null) => Promise<{ items: readonly Item[]; next: string | null }>,
): AsyncGenerator<Item> {
  const seen = new Set<string>();
  let next: string | null = null;
  for (let count = 0; count < mostPages; count += 1) {
    const found: { items: readonly Item[]; next: string | null } = await page(next);
    yield* found.items;
    if (found.next === null || seen.has(found.next)) return;
    seen.add(found.next);
    next = found.next;
  }
}

/** All models there, by name. */
export const theirModels = (server: ModelServer): AsyncGenerator<ToldModel> =>
  pagesOf(async (pageToken) => {
    const answer = await read(
      server,
      get('registered-models/search', { max_results: 100, order_by: ['name ASC'], page_token: pageToken }),
      z.object({ registered_models: z.array(toldModel).default([]), next_page_token: token }),
    );
    return { items: answer.registered_models, next: answer.next_page_token };
  });

/** A name within a filter: quoted with whichever quote it does not hold. */
const quoted = (name: string): string => (name.includes("'") ? `"${name}"` : `'${name}'`);

/** All versions of a model there, the oldest first. */
export const theirVersions = async (server: ModelServer, name: string): Promise<ToldVersion[]> => {
  const all: ToldVersion[] = [];
  const pages = pagesOf<ToldVersion>(async (pageToken) => {
    const input = { filter: `name=${quoted(name)}`, max_results: 1000, page_token: pageToken };
    const answer = await read(
      server,
      get('model-versions/search', input),
      z.object({ model_versions: z.array(toldVersion).default([]), next_page_token: token }),
    );
    return { items: answer.model_versions, next: answer.next_page_token };
  });
  for await (const version of pages) if (version.name === name) all.push(version);
  return all.sort((one, other) => one.version - other.version);
};

const mostFiles = 1000;
const deepest = 32;

const listed = z.object({
  files: z
    .array(
      z.object({
        path: z.string().min(1).max(1000),
        is_dir: z.boolean().default(false),
      }),
    )
    .default([]),
});

const insideOf = (folder: string, name: string): string => {
  const inside = folder === '' ? name : `${folder}/${name}`;
  if (artifactPath.safeParse(inside).success) return inside;
  throw conflict(`${JSON.stringify(inside.slice(0, 200))} cannot be a path of a version`, { rule: 'path' });
};

/** All files below a place of the artifact proxy, by path. A name that would leave its place is refused. */
export const theirFiles = async (
  server: ModelServer,
  location: string,
  folder = '',
  depth = 0,
): Promise<string[]> => {
  if (depth > deepest) throw conflict('The folders are nested too deep', { rule: 'path' });
  const input = { path: folder === '' ? location : `${location}/${folder}` };
  const { files } = await read(server, { method: 'GET', path: 'mlflow-artifacts/artifacts', input }, listed);
  const found: string[] = [];
  for (const file of files) {
    const inside = insideOf(folder, file.path);
    if (file.is_dir) found.push(...(await theirFiles(server, location, inside, depth + 1)));
    else found.push(inside);
    if (found.length > mostFiles) {
      throw conflict(`A version has at most ${String(mostFiles)} files`, { rule: 'artifact-count' });
    }
  }
  return found;
};
