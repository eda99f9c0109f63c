import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type BrowserContext } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { testApp } from '../testing/test-app.js';
import { testDoor, type TestDoor } from '../testing/door.js';
import { graphiqlDoor } from './graphiql.js';

const browser = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) =>
  existsSync(path),
);

describe.skipIf(browser === undefined)(
  `in Chromium${browser === undefined ? ' (not installed)' : ''}`,
  () => {
    let context: BrowserContext;
    let profile: string;
    let door: TestDoor;
    let headers: Record<string, string>;

    beforeAll(async () => {
      const app = await testApp();
      door = await testDoor(app, { development: true, routes: [graphiqlDoor()] });
      headers = door.headersOf(await app.actor('engineer'));
      profile = await mkdtemp(join(tmpdir(), 'countersign-chromium-'));
      context = await chromium.launchPersistentContext(profile, {
        executablePath: browser ?? '',
        headless: true,
        args: [
          '--no-sandbox',
          '--disable-gpu',
          '--disable-quic',
          '--no-first-run',
          '--disable-background-networking',
          '--disable-component-update',
          '--disable-sync',
        ],
        viewport: { width: 1280, height: 800 },
      });
    });
    afterAll(async () => {
      await context.close();
      await rm(profile, { recursive: true, force: true });
    });

    test('GraphiQL knows the schema and runs a query, asking nobody but this server', async () => {
      const page = await context.newPage();
      const asked: string[] = [];
      const faults: string[] = [];
      page.on('request', (request) => asked.push(request.url()));
      page.on('pageerror', (error) => faults.push(error.message));
      page.on('console', (message) => {
        if (message.type() === 'error') faults.push(message.text());
      });
      // In life the session cookie says who asks; the tests' server knows a token instead.
      await page.route(`${door.address}/graphql`, (route) =>
        route.continue({ headers: { ...route.request().headers(), ...headers } }),
      );
      await page.goto(`${door.address}/graphiql`);
      await page.getByRole('button', { name: /Execute query/i }).click();
      await page.getByText('"engineer"').first().waitFor();
      await page
        .getByRole('button', { name: /Documentation Explorer/i })
        .first()
        .click();
      await page.getByText('Mutation').first().waitFor();
      expect((await page.screenshot()).length).toBeGreaterThan(10_000);
      const others = asked.filter((url) => !url.startsWith(door.address) && !/^(data|blob):/.test(url));
      expect(others).toEqual([]);
      expect(faults).toEqual([]);
    });
  },
);
