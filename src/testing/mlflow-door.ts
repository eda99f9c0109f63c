import { request as httpRequest } from 'node:http';

/** What the protocol answered. */
export interface ProtocolAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** The error's name, when it is one. */
  readonly code: string | undefined;
  readonly message: string | undefined;
  readonly details: Readonly<Record<string, unknown>> | undefined;
  readonly body: Readonly<Record<string, unknown>>;
}

/** The protocol as a client speaks it, without the client. */
export interface Protocol {
  get(
    path: string,
    query?: Readonly<Record<string, string | number | readonly string[]>>,
  ): Promise<ProtocolAnswer>;
  send(method: string, path: string, body?: unknown): Promise<ProtocolAnswer>;
  post(path: string, body?: unknown): Promise<ProtocolAnswer>;
  put(path: string, content: Uint8Array<ArrayBuffer> | string): Promise<ProtocolAnswer>;
  /** A path as it stands, without a client that tidies it up. */
  raw(method: string, path: string): Promise<number>;
}

const answerOf = async (response: Response): Promise<ProtocolAnswer> => {
  const text = await response.text();
  const body = (text.startsWith('{') ? JSON.parse(text) : { text }) as Record<string, unknown> & {
    error_code?: string;
    message?: string;
    details?: Record<string, unknown>;
  };
  const { status, headers } = response;
  return { status, headers, body, code: body.error_code, message: body.message, details: body.details };
};

const queryOf = (query: Readonly<Record<string, string | number | readonly string[]>>): string => {
  const parts = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const one of Array.isArray(value) ? value : [value]) parts.append(name, String(one));
  }
  return parts.toString();
};

/** Speaks the protocol at an address, with a token. */
export const protocolAt = (address: string, token: string | null): Protocol => {
  const headers: Record<string, string> = token === null ? {} : { authorization: `Bearer ${token}` };
  const at = (path: string): string =>
    path.startsWith('/') ? `${address}${path}` : `${address}/api/2.0/mlflow/${path}`;
  const send: Protocol['send'] = async (method, path, body) =>
    answerOf(
      await fetch(at(path), {
        method,
        headers: { ...headers, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      }),
    );
  return {
    send,
    post: (path, body) => send('POST', path, body),
    get: async (path, query = {}) => answerOf(await fetch(`${at(path)}?${queryOf(query)}`, { headers })),
    put: async (path, content) =>
      answerOf(
        await fetch(`${address}/api/2.0/mlflow-artifacts/artifacts/${path}`, {
          method: 'PUT',
          headers,
          body: content,
        }),
      ),
    raw: (method, path) =>
      new Promise((resolve, reject) => {
        const { hostname, port, pathname } = new URL(address);
        const options = { hostname, port, method, headers, path: `${pathname}${path}` };
        const request = httpRequest(options, (response) => {
          response.resume();
          resolve(response.statusCode ?? 0);
        });
        request.once('error', reject);
        request.end();
      }),
  };
};
