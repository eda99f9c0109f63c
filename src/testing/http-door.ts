import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { readConfig, type Config } from '../config.js';
import { openDoor } from '../door.js';
import { startOidcProvider, type OidcProvider, type Person } from '../embedded/oidc/index.js';
import { issueDevelopmentToken } from '../features/identity/index.js';
import type { LimitOptions } from '../http/limits.js';
import type { Door } from '../http/server.js';
import { isRole } from '../kernel/actor.js';
import { atEnd } from './at-end.js';
import type { TestApp } from './test-app.js';

/** A browser as far as tests need one: a jar of cookies, and redirects only when asked. */
export interface TestBrowser {
  readonly cookies: Map<string, string>;
  /** Sends one request; a path goes to the door. */
  send(path: string, init?: RequestInit): Promise<Response>;
  /** Posts a form as a page of the door would. */
  post(path: string, form?: Readonly<Record<string, string>>): Promise<Response>;
  /** Signs in as one of the people, all the way; returns the answer of the callback. */
  signIn(subject: string, query?: string): Promise<Response>;
}

/** The HTTP door of a test, with a real identity provider beside it. */
export interface TestDoor {
  readonly url: string;
  readonly issuer: string;
  readonly config: Config;
  browser(cookies?: ReadonlyMap<string, string>): TestBrowser;
  /** A bearer token of the person with this role (made by `app.actor(role)` before). */
  tokenOf(role: string): Promise<string>;
}

/** How the door of a test differs from the default. */
export interface TestDoorOptions {
  readonly people?: readonly Person[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly doors?: readonly Door[];
  readonly limits?: Partial<LimitOptions>;
}

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => {
      resolve(false);
    });
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      server.close(() => {
        resolve(true);
      });
    });
  });

/** A free port below those that the system gives to outgoing connections, so that it stays free for a while. */
export const freePort = async (): Promise<number> => {
  for (;;) {
    const port = randomInt(15_000, 32_000);
    if (await isFree(port)) return port;
  }
};

const somebody: Person = {
  sub: 'eve',
  name: 'Eve Engineer',
  email: 'eve@people.test',
  groups: ['countersign-engineer'],
};

const client = { clientId: 'countersign', clientSecret: 'a secret of this test only' };

/** Opens the door of a test application on a free port; it is closed when the test file is done. */
export const openTestDoor = async (app: TestApp, options: TestDoorOptions = {}): Promise<TestDoor> => {
  const port = await freePort();
  const url = `http://127.0.0.1:${String(port)}`;
  const provider = await startOidcProvider({
    ...client,
    home: app.folder,
    mode: 'development',
    port: await freePort(),
    redirectUris: [`${url}/auth/callback`],
    postLogoutRedirectUris: [`${url}/`],
    people: options.people ?? [somebody],
    log: () => undefined,
  });
  const config = readConfig({
    PORT: String(port),
    COUNTERSIGN_URL: url,
    COUNTERSIGN_HOME: app.folder,
    OIDC_ISSUER: provider.issuer,
    OIDC_CLIENT_ID: client.clientId,
    OIDC_CLIENT_SECRET: client.clientSecret,
    ...options.environment,
  });
  const door = await openDoor(app, config, {
    outside: app.outside,
    doors: options.doors ?? [],
    limits: { signInsPerMinute: 1000, failuresPerMinute: 1000, ...options.limits },
  });
  atEnd(async () => {
    await door.close();
    await provider.stop();
  });
  return assemble(app, { url, config, provider });
};

const assemble = (
  app: TestApp,
  { url, config, provider }: { url: string; config: Config; provider: OidcProvider },
): TestDoor => ({
  url,
  issuer: provider.issuer,
  config,
  browser: (cookies) => openBrowser(url, cookies),
  tokenOf: async (role) => {
    if (!isRole(role)) throw new Error(`${role} is not a role`);
    return (await issueDevelopmentToken(app, { mode: 'development' }, role)).secret;
  },
});

/** Opens a browser that stands before a door. */
export const openBrowser = (url: string, known: ReadonlyMap<string, string> = new Map()): TestBrowser => {
  const cookies = new Map(known);
  const send = async (path: string, init: RequestInit = {}): Promise<Response> => {
    const headers = new Headers(init.headers);
    if (cookies.size > 0)
      headers.set('cookie', [...cookies].map(([name, value]) => `${name}=${value}`).join('; '));
    const response = await fetch(new URL(path, url), { ...init, headers, redirect: 'manual' });
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value === '') cookies.delete(name);
      else cookies.set(name, value);
    }
    return response;
  };
  const post = (path: string, form: Readonly<Record<string, string>> = {}): Promise<Response> =>
    send(path, {
      method: 'POST',
      headers: { origin: new URL(path, url).origin },
      body: new URLSearchParams(form),
    });
  const signIn = async (subject: string, query = ''): Promise<Response> => {
    const answer = await answerOfProvider(send, post, subject, `/auth/login${query}`);
    return send(answer);
  };
  return { cookies, send, post, signIn };
};

type Send = TestBrowser['send'];

/** Goes through the provider's pages until it leads back to the door; returns that address, not visited yet. */
export const answerOfProvider = async (
  send: Send,
  post: TestBrowser['post'],
  subject: string,
  start: string,
): Promise<string> => {
  let response = await send(start);
  let place = start;
  for (let hops = 0; hops < 12; hops += 1) {
    const location = response.headers.get('location');
    if (location === null) {
      response = await post(place, { sub: subject });
      continue;
    }
    await response.body?.cancel();
    place = place.startsWith('http') ? new URL(location, place).href : location;
    if (place.includes('/auth/callback?')) return place;
    response = await send(place);
  }
  throw new Error('The provider never led back');
};
