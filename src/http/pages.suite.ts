import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type BrowserContext } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createRoleRule } from '../features/identity/index.js';
import { createWorkspace } from '../features/workspaces/index.js';
import { systemActor } from '../kernel/actor.js';
import { openTestDoor, type TestDoor } from '../testing/http-door.js';
import { testApp } from '../testing/test-app.js';

const browser = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) =>
  existsSync(path),
);
const options = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

describe.skipIf(browser === undefined)(
  `in Chromium${browser === undefined ? ' (not installed)' : ''}`,
  () => {
    let context: BrowserContext;
    let profile: string;
    let door: TestDoor;

    beforeAll(async () => {
      const app = await testApp();
      const eve = { sub: 'eve', name: 'Eve Engineer', email: 'eve@people.test', groups: ['engineers'] };
      door = await openTestDoor(app, { people: [eve] });
      const { organizationId } = app;
      const second = { slug: 'second', name: 'Second place' };
      const { id } = await app.run(createWorkspace, systemActor('setup', { organizationId }), second);
      for (const workspaceId of [app.workspaceId, id]) {
        const rule = { group: 'engineers', role: 'engineer' } as const;
        await app.run(createRoleRule, systemActor('setup', { organizationId, workspaceId }), rule);
      }
      profile = await mkdtemp(join(tmpdir(), 'countersign-chromium-'));
      const program = { executablePath: browser ?? '', headless: true, args: options };
      context = await chromium.launchPersistentContext(profile, program);
    });
    afterAll(async () => {
      await context.close();
      await rm(profile, { recursive: true, force: true });
    });

    test('one signs in, chooses a workspace and signs out, by keyboard alone', async () => {
      const page = await context.newPage();
      await page.goto(door.url);
      await page.keyboard.press('Tab');
      await page.keyboard.press('Enter');
      await page.getByText('Choose who you are').waitFor();
      await page.keyboard.press('Tab');
      await page.keyboard.press('Enter');
      await page.getByText('none chosen').waitFor();

      await page.keyboard.press('Tab');
      await page.keyboard.type('Second');
      await page.keyboard.press('Tab');
      await page.keyboard.press('Enter');
      await page.getByRole('cell', { name: 'Second place' }).waitFor();
      expect(await page.getByRole('cell', { name: 'engineer', exact: true }).count()).toBe(1);

      await page.getByRole('button', { name: 'Sign out' }).press('Enter');
      await page.getByText('sign out of the development sign-in too').waitFor();
      await page.getByRole('button', { name: 'Sign out' }).press('Enter');
      await page.getByText('You are not signed in').waitFor();
      expect(page.url()).toBe(`${door.url}/`);
    });
  },
);
