import { graphqlDoor, type GraphqlDoorOptions } from '../graphql/server.js';
import { openHttpServer, type HttpServer } from '../http/server.js';
import type { Routes } from '../http/routes.js';
import type { Actor } from '../kernel/actor.js';
import { AppError } from '../kernel/errors.js';
import { atEnd } from './at-end.js';
import type { TestApp } from './test-app.js';

/** What the door answered. */
export interface DoorAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly data: Record<string, unknown> | null | undefined;
  readonly code: string | undefined;
  readonly details: Record<string, unknown> | undefined;
  readonly message: string | undefined;
  readonly text: string;
}

/** A listening server with the GraphQL door of a test application. */
export interface TestDoor extends HttpServer {
  /** Sends a body as an actor; a text is sent as it is. */
  send(actor: Actor | null, body: unknown, headers?: Record<string, string>): Promise<DoorAnswer>;
  /** The headers that show who the actor is. */
  headersOf(actor: Actor | null): Record<string, string>;
}

/** How the door of a test is opened. */
export interface TestDoorOptions extends Partial<GraphqlDoorOptions> {
  readonly perMinute?: number;
  readonly routes?: readonly Routes[];
  /** Asked whenever who asks is found out; may refuse. */
  readonly admit?: (actor: Actor) => void;
}

interface Answered {
  data?: Record<string, unknown> | null;
  errors?: { message: string; extensions: { code: string; details?: Record<string, unknown> } }[];
}

/** Opens a server over the application; who asks is said by a token that only tests know. */
export const testDoor = async (app: TestApp, options: TestDoorOptions = {}): Promise<TestDoor> => {
  const actors = new Map<string, Actor>();
  const { perMinute = 1_000_000, routes = [], admit, ...door } = options;
  const server = await openHttpServer({
    app,
    outside: app.outside,
    config: {
      host: '127.0.0.1',
      port: 0,
      url: 'http://localhost:4000',
      artifactMaxBytes: 1_000_000,
      trustedProxies: null,
    },
    authenticate: async ({ bearer }) => {
      const actor = bearer === null ? undefined : actors.get(bearer);
      if (!actor) throw new AppError('UNAUTHENTICATED', 'Sign in first', { reason: 'none' });
      admit?.(actor);
      return actor;
    },
    limits: { perMinute },
    routes,
    doors: [
      graphqlDoor({
        schema: app.schema,
        development: false,
        adHoc: 'everybody',
        findDocument: () => Promise.resolve(null),
        ...door,
      }),
    ],
  });
  atEnd(() => server.close());
  const headersOf = (actor: Actor | null): Record<string, string> => {
    if (actor === null) return {};
    const token = `${actor.kind}-${actor.id}-${actor.workspaceId ?? 'none'}`;
    actors.set(token, actor);
    return { authorization: `Bearer ${token}` };
  };
  return {
    ...server,
    headersOf,
    send: async (actor, body, headers = {}) => {
      const response = await fetch(`${server.address}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headersOf(actor), ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      });
      return read(response);
    },
  };
};

const read = async (response: Response): Promise<DoorAnswer> => {
  const text = await response.text();
  const { data, errors } = JSON.parse(text) as Answered;
  const [first] = errors ?? [];
  return {
    status: response.status,
    headers: response.headers,
    data,
    text,
    code: first?.extensions.code,
    details: first?.extensions.details,
    message: first?.message,
  };
};
