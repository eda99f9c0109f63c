import type { Actor } from '../kernel/actor.js';
import type { Permission } from '../kernel/permissions.js';
import { createRoleRule } from '../features/identity/index.js';
import { openTestDoor, type TestBrowser, type TestDoor } from './http-door.js';
import { testApp, type TestApp } from './test-app.js';

/** What a refused request says. */
export interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly details: { readonly reason?: string; readonly rule?: string };
}

/** What the door made of a request: who asks, or why nobody. */
export interface Who {
  readonly status: number;
  readonly actor: Actor;
  readonly error: Refusal;
}

/** A token as it was given out. */
export interface Issued {
  readonly id: string;
  readonly secret: string;
}

/** An application with a door that tells everybody who they are, and ways to come with sessions and tokens. */
export interface IdentityTest {
  readonly app: TestApp;
  readonly door: TestDoor;
  ask(browser: TestBrowser, headers?: Record<string, string>, method?: string): Promise<Who>;
  withToken(secret: string, headers?: Record<string, string>): Promise<Who>;
  signedIn(subject: string): Promise<TestBrowser>;
  /** A new service account. */
  account(): Promise<string>;
  serviceToken(more?: { scopes?: Permission[]; expiresInDays?: number }, of?: string): Promise<Issued>;
}

export const createAccountMutation = `mutation ($input: ServiceAccountCreateInput!) { createServiceAccount(input: $input) { id } }`;
export const createTokenMutation = `mutation ($input: ApiTokenCreateInput!) { createApiToken(input: $input) { id secret expiresAt } }`;
export const createPersonalMutation = `mutation ($input: ApiTokenCreatePersonalInput!) { createPersonalToken(input: $input) { id secret expiresAt } }`;

const person = (sub: string, ...groups: string[]) => ({
  sub,
  name: sub,
  email: `${sub}@example.test`,
  groups,
});
const people = [
  person('eve', 'engineers'),
  person('ada', 'administrators'),
  person('dan', 'engineers'),
  person('two', 'engineers'),
];

/** An actor as it was sent over the wire, with its dates again. */
const revive = (sent: Actor): Actor =>
  sent.kind === 'user' ? { ...sent, authenticatedAt: new Date(sent.authenticatedAt) } : sent;

/** Opens it; sessions last half an hour alone and eight hours in any case. */
export const openIdentityTest = async (): Promise<IdentityTest> => {
  const app = await testApp();
  const door = await openTestDoor(app, {
    people,
    environment: { SESSION_IDLE_MINUTES: '30', SESSION_HOURS: '8' },
    doors: [
      (server, { actorOf }) => {
        server.get('/whoami', (request) => actorOf(request));
        server.post('/whoami', (request) => actorOf(request));
      },
    ],
  });
  await app.run(createRoleRule, app.system(), { group: 'engineers', role: 'engineer' });
  await app.run(createRoleRule, app.system(), { group: 'administrators', role: 'administrator' });
  return { app, door, ...waysIn(app, door) };
};

const waysIn = (app: TestApp, door: TestDoor): Omit<IdentityTest, 'app' | 'door'> => {
  let accounts = 0;
  const ask: IdentityTest['ask'] = async (browser, headers = {}, method = 'GET') => {
    const response = await browser.send('/whoami', { method, headers });
    const body = (await response.json()) as Actor & { error: Refusal };
    return { status: response.status, actor: revive(body), error: body.error };
  };
  const account = async (): Promise<string> => {
    accounts += 1;
    const input = { name: `tool ${String(accounts)}`, roles: ['service'] };
    const administrator = await app.actor('administrator');
    const { data } = await app.graphql<{ createServiceAccount: { id: string } }>(
      administrator,
      createAccountMutation,
      { input },
    );
    return data?.createServiceAccount.id ?? 'missing';
  };
  return {
    ask,
    account,
    withToken: (secret, headers = {}) =>
      ask(door.browser(), { authorization: `Bearer ${secret}`, ...headers }),
    signedIn: async (subject) => {
      const browser = door.browser();
      await browser.signIn(subject);
      return browser;
    },
    serviceToken: async (more = {}, of) => {
      const input = { serviceAccountId: of ?? (await account()), name: 'token', ...more };
      const administrator = await app.actor('administrator');
      const { data } = await app.graphql<{ createApiToken: Issued }>(administrator, createTokenMutation, {
        input,
      });
      return data?.createApiToken ?? { id: '', secret: '' };
    },
  };
};
