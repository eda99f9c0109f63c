import { readFile, stat } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as client from 'openid-client';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { makeTemporaryHome } from '../postgres/index.js';
import { startOidcProvider, type OidcOptions, type OidcProvider } from './index.js';

const CALLBACK = 'http://localhost:4000/auth/callback';
const GOODBYE = 'http://localhost:4000/';
const ada = {
  sub: 'ada',
  name: 'Ada "Approver" <Lovelace>',
  email: 'ada@example.org',
  groups: ['approvers', 'validators'],
};
const ben = { sub: 'ben', name: 'Ben Builder', email: 'ben@example.org', groups: ['engineers'] };

const shared: { options?: OidcOptions; provider?: OidcProvider } = {};

beforeAll(async () => {
  const home = await makeTemporaryHome('countersign-oidc');
  shared.options = {
    home: home.path,
    mode: 'development',
    clientId: 'countersign',
    clientSecret: 'a secret of the development client',
    redirectUris: [CALLBACK],
    postLogoutRedirectUris: [GOODBYE],
    people: [ada, ben],
    log: () => undefined,
  };
  const provider = await startOidcProvider(shared.options);
  shared.provider = provider;
  return async () => {
    await provider.stop();
    await home.remove();
  };
});

function started(): { options: OidcOptions; provider: OidcProvider } {
  const { options, provider } = shared;
  if (!options || !provider) throw new Error('The provider is not there yet.');
  return { options, provider };
}

function discover(): Promise<client.Configuration> {
  const { options, provider } = started();
  return client.discovery(new URL(provider.issuer), options.clientId, options.clientSecret, undefined, {
    // Loopback without TLS, which the library rightly calls insecure elsewhere.
    // eslint-disable-next-line @typescript-eslint/no-deprecated
    execute: [client.allowInsecureRequests],
  });
}

/** A browser that keeps cookies and follows redirects within the provider, and stops where they lead out of it. */
function makeBrowser() {
  const jar = new Map<string, string>();
  const go = async (
    url: string,
    form?: Record<string, string>,
  ): Promise<{ url: URL; status: number; text: string }> => {
    const { issuer } = started().provider;
    const target = new URL(url, issuer);
    if (target.origin !== issuer) return { url: target, status: 0, text: '' };
    const response = await fetch(target, {
      redirect: 'manual',
      headers: { cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; ') },
      ...(form && { method: 'POST', body: new URLSearchParams(form) }),
    });
    for (const cookie of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      if (value === '') jar.delete(name);
      else jar.set(name, value);
    }
    const location = response.headers.get('location');
    if (location !== null) return go(new URL(location, target).href);
    return { url: target, status: response.status, text: await response.text() };
  };
  return { go, cookieNames: () => [...jar.keys()] };
}

interface Begun {
  readonly url: string;
  readonly finish: (callback: URL) => ReturnType<typeof client.authorizationCodeGrant>;
}

async function begin(config: client.Configuration, more: Record<string, string> = {}): Promise<Begun> {
  const verifier = client.randomPKCECodeVerifier();
  const nonce = client.randomNonce();
  const state = more['state'] ?? client.randomState();
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: CALLBACK,
    scope: 'openid profile email',
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    nonce,
    state,
    ...more,
  });
  const checks = {
    pkceCodeVerifier: verifier,
    expectedNonce: nonce,
    expectedState: state,
    idTokenExpected: true,
  };
  const maxAge = more['max_age'] === undefined ? {} : { maxAge: Number(more['max_age']) };
  return {
    url: url.href,
    finish: (callback) => client.authorizationCodeGrant(config, callback, { ...checks, ...maxAge }),
  };
}

test('somebody signs in by choosing who they are, and the application learns name, e-mail and groups', async () => {
  const config = await discover();
  const browser = makeBrowser();
  const flow = await begin(config);
  const page = await browser.go(flow.url);
  expect(page.status).toBe(200);
  expect(page.text).toContain('Development only.');
  expect(page.text).toContain('Ada &quot;Approver&quot; &lt;Lovelace&gt;');
  expect(page.text).not.toMatch(/<script|src=|https?:\/\//);

  const back = await browser.go(page.url.href, { sub: 'ada' });
  expect(back.url.href.startsWith(CALLBACK)).toBe(true);
  const tokens = await flow.finish(back.url);
  const claims = tokens.claims();
  expect(claims).toMatchObject({ sub: 'ada', name: ada.name, email: ada.email, groups: ada.groups });
  expect(claims?.['auth_time']).toBeTypeOf('number');
  expect(tokens.refresh_token).toBeUndefined();
  expect(await client.fetchUserInfo(config, tokens.access_token, 'ada')).toMatchObject({
    groups: ada.groups,
  });
  expect(browser.cookieNames().every((name) => name.includes(String(started().provider.port)))).toBe(true);
});

test('a session is remembered, and max_age and prompt=login ask again and say when', async () => {
  const config = await discover();
  const browser = makeBrowser();
  const signIn = async (more: Record<string, string>, sub: string) => {
    const flow = await begin(config, more);
    const page = await browser.go(flow.url);
    const asked = page.status === 200;
    const back = asked ? await browser.go(page.url.href, { sub }) : page;
    const claims = (await flow.finish(back.url)).claims();
    return { asked, text: page.text, sub: claims?.sub, at: Number(claims?.['auth_time']) };
  };

  const first = await signIn({}, 'ada');
  expect(first).toMatchObject({ asked: true, sub: 'ada' });
  expect(await signIn({}, 'ben')).toMatchObject({ asked: false, sub: 'ada', at: first.at });
  expect(await signIn({ max_age: '3600' }, 'ben')).toMatchObject({ asked: false, at: first.at });
  await sleep(1_100 + 1_000 - (Date.now() % 1_000));

  const again = await signIn({ max_age: '1' }, 'ada');
  expect(again).toMatchObject({ asked: true, sub: 'ada' });
  expect(again.text).toContain('You are signed in as Ada');
  expect(again.at).toBeGreaterThan(first.at);
  expect(await signIn({ prompt: 'login' }, 'ben')).toMatchObject({ asked: true, sub: 'ben' });
});

test.each([
  ['without PKCE', { code_challenge: '', code_challenge_method: '' }],
  ['with a plain PKCE challenge', { code_challenge_method: 'plain' }],
])('a request %s is refused', async (_, more) => {
  const { url } = await begin(await discover(), more);
  const request = new URL(url);
  for (const [name, value] of Object.entries(more)) if (value === '') request.searchParams.delete(name);
  const back = await makeBrowser().go(request.href);
  expect(back.url.searchParams.get('error')).toBe('invalid_request');
});

test('a request for another address to return to is refused with a page, not a redirect', async () => {
  const { url } = await begin(await discover(), { redirect_uri: 'http://localhost:4000/elsewhere' });
  const page = await makeBrowser().go(url);
  expect(page.status).toBe(400);
  expect(page.text).toContain('redirect_uri');
});

test('a code works once, for the browser that began, with the right verifier', async () => {
  const config = await discover();
  const browser = makeBrowser();
  const flow = await begin(config);
  const page = await browser.go(flow.url);
  expect((await makeBrowser().go(page.url.href)).status).toBe(400);
  expect((await browser.go(page.url.href, { sub: 'nobody' })).status).toBe(400);

  const back = await browser.go(page.url.href, { sub: 'ben' });
  await flow.finish(back.url);
  await expect(flow.finish(back.url)).rejects.toMatchObject({ error: 'invalid_grant' });
  const other = await begin(config);
  const silent = await browser.go(other.url);
  const wrong = await begin(config, { state: silent.url.searchParams.get('state') ?? '' });
  await expect(wrong.finish(silent.url)).rejects.toMatchObject({ error: 'invalid_grant' });
});

test('cancelling leads back to the application with a refusal', async () => {
  const browser = makeBrowser();
  const page = await browser.go((await begin(await discover())).url);
  const back = await browser.go(page.url.href, { cancel: 'yes' });
  expect(back.url.searchParams.get('error')).toBe('access_denied');
});

test('signing out ends the session and leads back', async () => {
  const config = await discover();
  const browser = makeBrowser();
  const flow = await begin(config);
  const back = await browser.go((await browser.go(flow.url)).url.href, { sub: 'ben' });
  const { id_token: hint = '' } = await flow.finish(back.url);

  const leave = client.buildEndSessionUrl(config, { id_token_hint: hint, post_logout_redirect_uri: GOODBYE });
  const page = await browser.go(leave.href);
  const [, xsrf = ''] = /name="xsrf" value="([^"]+)"/.exec(page.text) ?? [];
  const [, action = ''] = /action="([^"]+)"/.exec(page.text) ?? [];
  expect((await browser.go(action, { xsrf, logout: 'yes' })).url.href).toBe(GOODBYE);
  expect((await browser.go((await begin(config)).url)).text).toContain('Choose who you are.');
});

test('signing keys and port outlive a restart; the key file is private', async () => {
  const { options, provider } = started();
  const keySet = async (issuer: string) => (await fetch(`${issuer}/jwks`)).text();
  const before = await keySet(provider.issuer);
  expect(before).not.toContain('"d"');
  expect((await stat(join(options.home, 'oidc', 'keys.json'))).mode & 0o777).toBe(0o600);
  await provider.stop();
  shared.provider = await startOidcProvider(options);
  expect(shared.provider.issuer).toBe(provider.issuer);
  expect(await keySet(shared.provider.issuer)).toBe(before);
  expect(await readFile(join(options.home, 'oidc', 'port'), 'utf8')).toBe(`${String(provider.port)}\n`);
});

test('it does not start in production, nor on a port that is taken, nor without people', async () => {
  const { options, provider } = started();
  await expect(startOidcProvider({ ...options, mode: 'production' })).rejects.toThrow(
    /does not start in production.*OIDC_ISSUER/,
  );
  await expect(startOidcProvider({ ...options, port: provider.port })).rejects.toThrow(
    /another program uses it/,
  );
  await expect(startOidcProvider({ ...options, people: [] })).rejects.toThrow(/knows nobody/);
});

test('it answers under its own address only, so that no other name can be pointed at it', async () => {
  const { port } = started().provider;
  const asked = request({
    host: '127.0.0.1',
    port,
    path: '/auth',
    headers: { host: `evil.example:${String(port)}` },
  });
  onTestFinished(() => void asked.destroy());
  const status = await new Promise<number | undefined>((resolve) => {
    asked.once('response', (response) => {
      resolve(response.statusCode);
    });
    asked.end();
  });
  expect(status).toBe(421);
});
