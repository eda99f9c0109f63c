import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { readConfig, type Config } from '../../config.js';
import { openDoor } from '../../door.js';
import { installationRoot } from '../../kernel/root.js';
import { asSystem } from '../../kernel/system.js';
import { atEnd } from '../../testing/at-end.js';
import { freePort, openBrowser, type TestBrowser } from '../../testing/http-door.js';
import { testApp, type TestApp } from '../../testing/test-app.js';
import { createRoleRule } from './index.js';

/**
 * The same sign-in against a real Keycloak from Maven Central, with the realm that this repository ships.
 * It needs Java 17 or newer and Maven; the archive is kept in Maven's own repository after the first run.
 */
const version = '26.7.4';
const run = promisify(execFile);

const whyNot = async (): Promise<string | null> => {
  const java = await run('java', ['-version'])
    .then(({ stderr }) => /version "(\d+)/.exec(stderr)?.[1])
    .catch(() => undefined);
  if (java === undefined || Number(java) < 17) return 'Java 17 or newer is missing';
  return run('mvn', ['-version'])
    .then(() => null)
    .catch(() => 'Maven is missing');
};

const missing = await whyNot();
const secret = 'a client secret of this suite only';
const password = 'a password of this suite only';

/** The realm as shipped, with one person in it. */
const realmWith = async (username: string, groups: readonly string[]): Promise<string> => {
  const path = join(installationRoot, 'deploy', 'keycloak', 'countersign-realm.json');
  const realm = JSON.parse(await readFile(path, 'utf8')) as object;
  const person = {
    username,
    enabled: true,
    email: `${username}@example.test`,
    emailVerified: true,
    firstName: 'Kim',
    lastName: 'Cloak',
    credentials: [{ type: 'password', value: password, temporary: false }],
    groups,
  };
  return JSON.stringify({ ...realm, users: [person] });
};

/** The archive, from Maven's repository on this machine or from Maven Central. */
const fetchArchive = async (folder: string): Promise<string> => {
  const kept = join(
    homedir(),
    '.m2/repository/org/keycloak/keycloak-quarkus-dist',
    version,
    `keycloak-quarkus-dist-${version}.tar.gz`,
  );
  if (existsSync(kept)) return kept;
  const goal = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy';
  const artifact = `-Dartifact=org.keycloak:keycloak-quarkus-dist:${version}:tar.gz`;
  await run('mvn', ['-q', '-B', goal, artifact, `-DoutputDirectory=${folder}`], { timeout: 280_000 });
  return join(folder, `keycloak-quarkus-dist-${version}.tar.gz`);
};

interface Keycloak {
  readonly issuer: string;
  readonly stop: () => Promise<void>;
}

const startKeycloak = async (url: string, port: number): Promise<Keycloak> => {
  const folder = await mkdtemp(join(tmpdir(), 'countersign-keycloak-'));
  await run('tar', ['xzf', await fetchArchive(folder), '-C', folder]);
  const home = join(folder, `keycloak-${version}`);
  await mkdir(join(home, 'data', 'import'), { recursive: true });
  await writeFile(
    join(home, 'data', 'import', 'countersign-realm.json'),
    await realmWith('kim', ['engineers', 'auditors']),
  );
  const child = spawn(
    join(home, 'bin', 'kc.sh'),
    ['start-dev', '--import-realm', '--http-host=127.0.0.1', `--http-port=${String(port)}`],
    {
      // Only what it needs, as its own process group: the script starts Java as a child.
      env: {
        PATH: '/usr/bin:/bin',
        HOME: folder,
        JAVA_OPTS_APPEND: '-Xmx512m',
        COUNTERSIGN_URL: url,
        OIDC_CLIENT_SECRET: secret,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    },
  );
  const stop = async (): Promise<void> => {
    await endGroup(child);
    await rm(folder, { recursive: true, force: true });
  };
  const issuer = `http://127.0.0.1:${String(port)}/realms/countersign`;
  await untilUp(child, `${issuer}/.well-known/openid-configuration`).catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  return { issuer, stop };
};

const endGroup = async (child: ChildProcess): Promise<void> => {
  if (child.pid === undefined || child.exitCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  process.kill(-child.pid, 'SIGTERM');
  await gone;
};

const untilUp = async (child: ChildProcess, address: string): Promise<void> => {
  const said: string[] = [];
  const hear = (chunk: Buffer): void => void said.push(chunk.toString());
  child.stdout?.on('data', hear);
  child.stderr?.on('data', hear);
  const until = Date.now() + 480_000;
  while (Date.now() < until) {
    const answer = await fetch(address).catch(() => null);
    if (answer?.ok) return;
    if (child.exitCode !== null) break;
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
  throw new Error(`Keycloak did not start:\n${said.join('').slice(-4000)}`);
};

/** Reads the login form of Keycloak, fills it in and sends it. */
const fillIn = async (browser: TestBrowser, page: Response): Promise<Response> => {
  const text = await page.text();
  const [, action = ''] = /<form[^>]*id="kc-form-login"[^>]*action="([^"]+)"/.exec(text) ?? [];
  if (action === '') throw new Error(`There is no login form: ${text.slice(0, 500)}`);
  const form = { username: 'kim', password, credentialId: '' };
  return browser.post(action.replaceAll('&amp;', '&'), form);
};

/** Signs in as a browser does; `asked` tells whether the provider wanted the password. */
const signIn = async (browser: TestBrowser, query = ''): Promise<{ response: Response; asked: boolean }> => {
  let response = await browser.send(`/auth/login${query}`);
  let asked = false;
  for (let hops = 0; hops < 10; hops += 1) {
    const location = response.headers.get('location');
    if (location?.startsWith('/') === true) return { response, asked };
    if (location !== null) response = await browser.send(location);
    else {
      response = await fillIn(browser, response);
      asked = true;
    }
  }
  throw new Error('The sign-in never came back');
};

describe.skipIf(missing !== null)(
  `Keycloak ${version}${missing === null ? '' : ` (skipped: ${missing})`}`,
  () => {
    let app: TestApp;
    let keycloak: Keycloak;
    let config: Config;

    beforeAll(async () => {
      app = await testApp();
      const [port, keycloakPort] = [await freePort(), await freePort()];
      const url = `http://127.0.0.1:${String(port)}`;
      config = readConfig({
        PORT: String(port),
        COUNTERSIGN_URL: url,
        COUNTERSIGN_HOME: app.folder,
        OIDC_ISSUER: `http://127.0.0.1:${String(keycloakPort)}/realms/countersign`,
        OIDC_CLIENT_ID: 'countersign',
        OIDC_CLIENT_SECRET: secret,
      });
      const door = await openDoor(app, config, { outside: app.outside });
      atEnd(() => door.close());
      keycloak = await startKeycloak(url, keycloakPort);
      atEnd(() => keycloak.stop());
      await app.run(createRoleRule, app.system(), { group: 'engineers', role: 'engineer' });
      await app.run(createRoleRule, app.system(), { group: 'auditors', role: 'auditor' });
      await app.run(createRoleRule, app.system(), { group: 'administrators', role: 'administrator' });
    });

    const memberOf = async (): Promise<
      { display_name: string; email: string; issuer: string; roles_by_rule: string[] } | undefined
    > => {
      const [row] = await asSystem(app.db, (tx) =>
        tx.sql<{ display_name: string; email: string; issuer: string; roles_by_rule: string[] }>(
          `select u.display_name, u.email, u.issuer, m.roles_by_rule
           from app_user u join member m on m.user_id = u.id where u.issuer = $1`,
          [keycloak.issuer],
        ),
      );
      return row;
    };

    test('signs a person in, and their groups become roles', async () => {
      const browser = openBrowser(config.url);

      const { response, asked } = await signIn(browser, '?returnTo=/docs');

      expect([response.status, response.headers.get('location'), asked]).toEqual([303, '/docs', true]);
      expect(await memberOf()).toEqual({
        display_name: 'Kim Cloak',
        email: 'kim@example.test',
        issuer: keycloak.issuer,
        roles_by_rule: ['auditor', 'engineer'],
      });
      const page = await (await browser.send('/')).text();
      expect(page).toContain('Kim Cloak');
      expect(page).toContain('auditor, engineer');
    });

    test('is asked again at a fresh sign-in only', async () => {
      const browser = openBrowser(config.url);
      expect((await signIn(browser)).asked).toBe(true);
      expect((await signIn(browser)).asked).toBe(false);

      const fresh = await signIn(browser, '?fresh=1');

      expect([fresh.asked, fresh.response.status]).toEqual([true, 303]);
    });

    test('signs a person out here and there', async () => {
      const browser = openBrowser(config.url);
      await signIn(browser);

      const out = await browser.post('/auth/logout');
      const there = await browser.send(out.headers.get('location') ?? '');

      expect(new URL(out.headers.get('location') ?? '').origin).toBe(new URL(keycloak.issuer).origin);
      expect([there.status, there.headers.get('location')]).toEqual([302, `${config.url}/`]);
      expect(await (await browser.send('/')).text()).toContain('You are not signed in');
      expect((await signIn(browser)).asked).toBe(true);
    });

    test('refuses an answer with another code or another issuer', async () => {
      const browser = openBrowser(config.url);
      await signIn(browser);
      for (const [name, value] of [
        ['code', 'x'],
        ['iss', 'https://evil.test'],
      ] as const) {
        const start = await browser.send('/auth/login');
        const back = await browser.send(start.headers.get('location') ?? '');
        const answer = new URL(back.headers.get('location') ?? '');
        expect(answer.pathname).toBe('/auth/callback');
        answer.searchParams.set(name, value);
        expect((await browser.send(answer.href)).status).toBe(401);
      }
    });
  },
);
