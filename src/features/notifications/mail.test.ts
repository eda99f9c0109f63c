import { beforeAll, beforeEach, expect, test } from 'vitest';
import { AppError } from '../../kernel/errors.js';
import type { Mailer } from '../../kernel/ports.js';
import { lookOnce } from '../../worker/clock.js';
import { runStatement } from '../../testing/databases.js';
import { decide, givenPromotable, givenRequest } from '../../testing/given-change.js';
import { givenVersion } from '../../testing/given-version.js';
import { inboxOf, tick } from '../../testing/inbox.js';
import { drainJobs } from '../../testing/jobs.js';
import { testApp, type TestApp } from '../../testing/test-app.js';
import { addComment } from '../comments/index.js';
import { deliveryTick, digestTick } from './notifications.jobs/clock.js';

let app: TestApp;
beforeAll(async () => {
  app = await testApp();
});
beforeEach(() => {
  app.outside.mails.length = 0;
});

test('mail goes out at once to whoever is asked, in both forms, with links and without anything to run', async () => {
  const given = await givenPromotable(app);
  await app.drainJobs();
  app.outside.mails.length = 0;
  await givenRequest(app, given);
  await app.drainJobs();

  expect(app.outside.mails.map(({ to }) => to).sort()).toEqual([
    'compliance@people.test',
    'validator@people.test',
  ]);
  const [mail] = app.outside.mails;
  expect(mail?.subject).toMatch(/^\[Main\] Change request #\d+ waits for your decision$/);
  expect(mail?.text).toContain('Reason: It is better');
  expect(mail?.text).toMatch(/https:\/\/countersign\.example\/changes\/\d+/);
  expect(mail?.text).toContain('https://countersign.example/settings/notifications');
  expect(mail?.html).toMatch(
    /<a href="https:\/\/countersign\.example\/changes\/\d+">Open in Countersign<\/a>/,
  );
  expect(mail?.preferencesUrl).toBe('https://countersign.example/settings/notifications');
});

test('mail holds what people write as text', async () => {
  const { versionId } = await givenVersion(app);
  const text = '@validator <img src=x onerror=alert(1)> & "quotes"';
  await app.actor('validator');
  await app.run(addComment, await app.actor('owner'), {
    subjectKind: 'modelVersion',
    subjectId: versionId,
    text,
  });
  await app.drainJobs();

  const mail = app.outside.mails.find(({ to }) => to === 'validator@people.test');
  expect(mail?.html).toContain('&lt;img src=x onerror=alert(1)&gt; &amp; &quot;quotes&quot;');
  expect(mail?.html).not.toContain('<img');
  expect(mail?.text).toContain(text);
});

test('mail of the day collects what can wait, and goes out once', async () => {
  const given = await givenPromotable(app);
  await app.drainJobs();
  await decide(app, given.validator, await givenRequest(app, given), 'REJECT');
  await decide(app, given.validator, await givenRequest(app, given), 'REJECT');
  await app.drainJobs();
  const mine = () => app.outside.mails.filter(({ to }) => to === 'engineer@people.test');
  expect(mine()).toEqual([]);

  app.clock.advance(86_400_000);
  await tick(app, digestTick);
  await tick(app, digestTick);

  expect(mine()).toHaveLength(1);
  expect(mine()[0]?.subject).toMatch(/^\[Main\] \d+ news of the day$/);
  expect(mine()[0]?.text.match(/Validator rejected change request/g)?.length).toBeGreaterThanOrEqual(2);
});

test('mail that the server cannot take now is tried again later and later; one that it refuses ends, and the inbox says so', async () => {
  const given = await givenPromotable(app);
  await app.drainJobs();
  const answers: (AppError | null)[] = [
    new AppError('RATE_LIMITED', 'The mail server asks to try later (451)', { status: 451 }),
    null,
    new AppError('PRECONDITION_FAILED', 'The mail server refused the mail for good (550)', { status: 550 }),
  ];
  const tried: string[] = [];
  const mail: Mailer = {
    configured: true,
    send: ({ to, messageKey }) => {
      if (to !== 'validator@people.test') return Promise.resolve({ id: messageKey });
      tried.push(messageKey);
      const error = answers[tried.length - 1] ?? null;
      return error ? Promise.reject(error) : Promise.resolve({ id: messageKey });
    },
  };
  const parts = { ...app, outside: { ...app.outside, mail } };
  await givenRequest(app, given);
  await drainJobs(parts);
  await lookOnce(app, deliveryTick);
  await drainJobs(parts);
  expect(tried).toHaveLength(1);

  app.clock.advance(70_000);
  await lookOnce(app, deliveryTick);
  await lookOnce(app, deliveryTick);
  await drainJobs(parts);
  expect(tried).toHaveLength(2);
  expect(new Set(tried).size).toBe(1);

  await givenRequest(app, await givenPromotable(app));
  await drainJobs(parts);
  app.clock.advance(3_600_000);
  await lookOnce(app, deliveryTick);
  await drainJobs(parts);
  expect(tried).toHaveLength(3);
  const { inbox } = await inboxOf(app, given.validator, { first: 1 });
  expect(inbox.nodes[0]?.undelivered).toEqual(['EMAIL: The mail server refused the mail for good (550)']);
});

test('mail that a lost job has left lying is begun by the clock', async () => {
  const given = await givenPromotable(app);
  await app.drainJobs();
  await givenRequest(app, given);
  await app.drainJobs({ only: ['notifications.tellOfChanges'] });
  await runStatement(app.databaseUrl, `delete from outbox where job = 'notifications.deliver'`);
  app.outside.mails.length = 0;

  app.clock.advance(130_000);
  await tick(app, deliveryTick);

  expect(app.outside.mails.map(({ to }) => to)).toEqual(
    expect.arrayContaining(['validator@people.test', 'compliance@people.test']),
  );
});
