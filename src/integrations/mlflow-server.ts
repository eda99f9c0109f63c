import { Agent, errors, request, type Dispatcher } from 'undici';
import { AppError } from '../kernel/errors.js';
import type { ModelServer, ServerAnswer, ServerQuestion } from '../kernel/model-server.js';

/** Where a server is, and how it knows us. */
export interface MlflowServerOptions {
  /** May hold a name and a password. */
  readonly url: string;
  readonly token: string | null;
  /** How long an answer may take to begin, and each piece of it to follow. */
  readonly answerMs?: number;
}

const connectMs = 5000;
const mostJsonBytes = 64 * 1_048_576;

const authorizationOf = (url: URL, token: string | null): string | null => {
  if (token !== null) return `Bearer ${token}`;
  if (url.username === '' && url.password === '') return null;
  const pair = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  return `Basic ${Buffer.from(pair).toString('base64')}`;
};

const plainAddress = (url: URL): string => `${url.origin}${url.pathname.replace(/\/+$/, '')}`;

const isLate = (error: unknown): boolean =>
  error instanceof errors.HeadersTimeoutError ||
  error instanceof errors.BodyTimeoutError ||
  error instanceof errors.ConnectTimeoutError;

const unreachable = (address: string, error: unknown): AppError =>
  new AppError(
    'INTERNAL',
    `The MLflow server behind this address (${address}) is unreachable: ${isLate(error) ? 'it did not answer in time' : 'no connection'}`,
    { rule: 'upstream-unreachable' },
  );

const queryOf = (input: Readonly<Record<string, unknown>>): string => {
  const parts = new URLSearchParams();
  for (const [name, value] of Object.entries(input)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== undefined && one !== null) parts.append(name, String(one));
    }
  }
  const text = parts.toString();
  return text === '' ? '' : `?${text}`;
};

const jsonOf = async (body: Dispatcher.ResponseData['body']): Promise<unknown> => {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of body) {
    const part = Buffer.from(piece as Uint8Array);
    bytes += part.byteLength;
    if (bytes > mostJsonBytes) throw new Error('The answer is too large');
    pieces.push(part);
  }
  try {
    return JSON.parse(Buffer.concat(pieces).toString('utf8')) as unknown;
  } catch {
    return null;
  }
};

const encoded = (path: string): string => path.split('/').map(encodeURIComponent).join('/');

/** Opens a server of MLflow. The operator named it, so it may be on a private network. */
export const openMlflowServer = ({ url, token, answerMs = 60_000 }: MlflowServerOptions): ModelServer => {
  const parsed = new URL(url);
  const address = plainAddress(parsed);
  const authorization = authorizationOf(parsed, token);
  const dispatcher = new Agent({
    connect: { timeout: connectMs },
    headersTimeout: answerMs,
    bodyTimeout: answerMs,
  });
  const headers = authorization === null ? {} : { authorization };

  const ask = async ({ method, path, input = {}, signal }: ServerQuestion): Promise<ServerAnswer> => {
    const isGet = method === 'GET';
    try {
      const answer = await request(`${address}/api/2.0/${path}${isGet ? queryOf(input) : ''}`, {
        method,
        dispatcher,
        headers: isGet ? headers : { ...headers, 'content-type': 'application/json' },
        body: isGet ? null : JSON.stringify(input),
        ...(signal === undefined ? {} : { signal }),
      });
      return { status: answer.statusCode, body: await jsonOf(answer.body) };
    } catch (error) {
      if (signal?.aborted === true) throw error;
      throw unreachable(address, error);
    }
  };

  const open = async (path: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> => {
    const answer = await request(`${address}/api/2.0/mlflow-artifacts/artifacts/${encoded(path)}`, {
      method: 'GET',
      dispatcher,
      headers,
      signal,
    }).catch((error: unknown) => {
      throw signal.aborted ? error : unreachable(address, error);
    });
    if (answer.statusCode === 200) return answer.body;
    await answer.body.dump();
    throw new AppError('NOT_FOUND', `The MLflow server did not give ${path}: ${String(answer.statusCode)}`, {
      rule: 'upstream-file',
    });
  };

  return { address, authorization, answerMs, ask, open };
};
