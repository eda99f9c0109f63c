import { openBrowser, type Browser } from './browser.js';

/** A refusal as it came over the wire. */
export class Refusal extends Error {
  override readonly name = 'Refusal';

  constructor(
    message: string,
    readonly code: string,
    readonly details: Readonly<Record<string, unknown>>,
  ) {
    super(message);
  }
}

/** Somebody who uses Countersign over HTTP: a person with a session, or a machine with a token. */
export interface Client {
  readonly name: string;
  /** Sends a GraphQL document; throws {@link Refusal} for the first error. */
  ask<Data>(document: string, variables?: Readonly<Record<string, unknown>>): Promise<Data>;
  /** Sends any request to the server; the caller reads the status. */
  request(path: string, init?: RequestInit): Promise<Response>;
}

interface Answer {
  readonly data?: unknown;
  readonly errors?: readonly {
    message: string;
    extensions?: { code?: string; details?: Record<string, unknown> };
  }[];
}

const clientOver = (name: string, request: Client['request']): Client => ({
  name,
  request,
  ask: async <Data>(document: string, variables: Readonly<Record<string, unknown>> = {}) => {
    const response = await request('/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify({ query: document, variables }),
    });
    const answer = (await response.json()) as Answer;
    const error = answer.errors?.[0];
    if (error)
      throw new Refusal(error.message, error.extensions?.code ?? 'INTERNAL', error.extensions?.details ?? {});
    return answer.data as Data;
  },
});

/** A machine with a token. */
export const withToken = (server: string, name: string, token: string): Client =>
  clientOver(name, (path, init = {}) => {
    const headers = new Headers(init.headers);
    headers.set('authorization', `Bearer ${token}`);
    return fetch(new URL(path, server), { ...init, headers });
  });

const loginForm = async (browser: Browser, url: string, subject: string): Promise<Response> => {
  const body = new URLSearchParams({ sub: subject });
  const { response } = await browser.follow(url, { method: 'POST', body });
  return response;
};

/** Signs a demo person in as their browser would: by authorization code at the development provider. */
export const signIn = async (server: string, person: { sub: string; name: string }): Promise<Client> => {
  const browser = openBrowser();
  const page = await browser.follow(new URL('/auth/login?returnTo=/', server).href);
  await page.response.body?.cancel();
  const landed = await loginForm(browser, page.url, person.sub);
  await landed.body?.cancel();
  if (landed.status !== 200)
    throw new Error(`${person.name} could not sign in: the server answered ${String(landed.status)}`);
  const origin = new URL(server).origin;
  return clientOver(person.name, (path, init = {}) => {
    const headers = new Headers(init.headers);
    headers.set('origin', origin);
    return browser.send(new URL(path, server).href, { ...init, headers });
  });
};
