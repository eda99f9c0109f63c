import { beforeAll, describe, expect, test } from 'vitest';
import { lookOnce } from '../../worker/clock.js';
import { decide, givenCard, givenPromotable, givenRequest } from '../../testing/given-change.js';
import { givenModel, givenVersion } from '../../testing/given-version.js';
import { plain, tick, watchInbox } from '../../testing/inbox.js';
import { testApp, type TestApp } from '../../testing/test-app.js';
import { withdrawChange } from '../approvals/index.js';
import { addComment } from '../comments/index.js';
import { createFinding, resolveFinding } from '../findings/index.js';
import { lookAheadTick } from './notifications.jobs/clock.js';

let app: TestApp;
beforeAll(async () => {
  app = await testApp();
});

test('a comment is told of wherever its excerpt is cut, also within a character of two halves', async () => {
  const { versionId } = await givenVersion(app);
  const validator = await app.actor('validator');
  const told = await watchInbox(app, validator);
  for (const length of [186, 187]) {
    const text = `@validator ${'x'.repeat(length)}${'🦜'.repeat(20)}`;
    await app.run(addComment, await app.actor('owner'), {
      subjectKind: 'modelVersion',
      subjectId: versionId,
      text,
    });
  }
  await app.drainJobs();

  const items = await told();
  expect(items.map(({ event }) => event)).toEqual(['MENTION', 'MENTION']);
  expect(items.every(({ lines }) => lines[0]?.isWellFormed() === true)).toBe(true);
});

describe('the way of a change request', () => {
  test('tells those who are asked, then the one who asked, then everybody who had a part', async () => {
    const given = await givenPromotable(app);
    await app.drainJobs();
    const engineer = await watchInbox(app, given.engineer);
    const validator = await watchInbox(app, given.validator);
    const compliance = await watchInbox(app, given.compliance);

    const id = await givenRequest(app, given);
    await app.drainJobs();
    expect(await validator()).toMatchObject([
      {
        event: 'CHANGE_REQUESTED',
        title: expect.stringMatching(/^Change request #\d+ waits for your decision$/) as string,
        lines: expect.arrayContaining(['Requested by: engineer', 'Reason: It is better']) as string[],
        link: expect.stringMatching(/^\/changes\/\d+$/) as string,
        why: 'You can give an approval that is missing',
      },
    ]);
    expect((await compliance()).map(({ event }) => event)).toEqual(['CHANGE_REQUESTED']);
    expect(await engineer()).toEqual([]);

    await decide(app, given.validator, id);
    await app.drainJobs();
    expect((await engineer()).map(plain)).toEqual(['Validator approved change request #N']);
    // Who was asked is not asked again.
    expect((await compliance()).map(({ event }) => event)).toEqual(['CHANGE_REQUESTED']);

    // As long as it is shown is in the middle of a character.
    await givenCard(app, given, `${'o'.repeat(156)}${'🦜'.repeat(20)}`);
    await app.drainJobs();
    const voided = (await validator()).at(-1);
    expect(voided).toMatchObject({
      event: 'CHANGE_VOIDED',
      why: 'You decided on the change, or asked for it',
    });
    expect(voided?.lines.join('\n')).toContain('Because: manifest-changed');

    await decide(app, given.validator, id);
    await decide(app, given.compliance, id);
    await app.drainJobs();
    expect((await engineer()).map(({ event }) => event)).toEqual([
      'CHANGE_DECIDED',
      'CHANGE_VOIDED',
      'CHANGE_DECIDED',
      'CHANGE_DECIDED',
      'CHANGE_EXECUTED',
    ]);
    expect((await validator()).at(-1)).toMatchObject({ event: 'CHANGE_EXECUTED' });
  });

  test.each([
    ['REQUEST_CHANGES', 'CHANGES_REQUESTED', 'Validator asks for changes to change request #N'],
    ['REJECT', 'CHANGE_DECIDED', 'Validator rejected change request #N'],
  ] as const)('that meets %s tells whoever asked, with the reason', async (verdict, event, title) => {
    const given = await givenPromotable(app);
    const id = await givenRequest(app, given);
    await app.drainJobs();
    const told = await watchInbox(app, given.engineer);

    await decide(app, given.validator, id, verdict);
    await app.drainJobs();

    const [item] = await told();
    expect(item).toMatchObject({
      event,
      lines: expect.arrayContaining(['Reason: I looked at it']) as string[],
    });
    expect(item && plain(item)).toBe(title);
  });

  test('that is withdrawn tells those who decided', async () => {
    const given = await givenPromotable(app);
    const id = await givenRequest(app, given);
    await decide(app, given.validator, id);
    await app.drainJobs();
    const told = await watchInbox(app, given.validator);

    await app.run(withdrawChange, given.engineer, { changeRequestId: id, reason: 'Not yet' });
    await app.drainJobs();

    expect((await told()).map(plain)).toEqual(['Engineer withdrew change request #N']);
  });
});

describe('comments', () => {
  test('tell those who are mentioned, and those who have a part, each once, and not the writer', async () => {
    const { versionId } = await givenVersion(app);
    const [engineer, owner, validator] = [
      await app.actor('engineer'),
      await app.actor('owner'),
      await app.actor('validator'),
    ];
    await app.drainJobs();
    const toldEngineer = await watchInbox(app, engineer);
    const toldOwner = await watchInbox(app, owner);
    const toldValidator = await watchInbox(app, validator);
    await app.run(addComment, owner, {
      subjectKind: 'modelVersion',
      subjectId: versionId,
      text: 'Have you seen this, @validator? @owner will wait.',
    });
    await app.drainJobs();

    expect(await toldValidator()).toMatchObject([
      {
        event: 'MENTION',
        title: expect.stringMatching(/^Owner mentioned you in a comment on model-\d+ version 1$/) as string,
        lines: ['Have you seen this, @validator? @owner will wait.'],
      },
    ]);
    expect((await toldEngineer()).map(({ event }) => event)).toEqual(['COMMENT']);
    expect(await toldOwner()).toEqual([]);
  });
});

describe('findings', () => {
  const dayMs = 86_400_000;

  test('tell their owner when they are opened, three days before they are due, and when they are late', async () => {
    const [validator, engineer, owner] = [
      await app.actor('validator'),
      await app.actor('engineer'),
      await app.actor('owner'),
    ];
    const subjectId = await givenModel(app);
    const dueAt = new Date(app.clock.now().getTime() + 10 * dayMs);
    await app.drainJobs();
    const toldEngineer = await watchInbox(app, engineer);
    const toldOwner = await watchInbox(app, owner);
    const { id } = await app.run(createFinding, validator, {
      title: 'Small groups',
      detail: 'x',
      severity: 'HIGH',
      ownerId: engineer.id,
      dueAt,
      subjectKind: 'model',
      subjectId,
    });
    await app.drainJobs();
    const mine = async () =>
      (await toldEngineer()).filter(({ title }) => title.includes('Small groups')).map(({ title }) => title);
    expect(await mine()).toEqual(['The finding «Small groups» is yours']);

    app.clock.advance(8 * dayMs);
    await tick(app, lookAheadTick);
    await tick(app, lookAheadTick);
    expect((await mine()).slice(1)).toEqual(['The finding «Small groups» is due soon']);

    app.clock.advance(3 * dayMs);
    await tick(app, lookAheadTick);
    expect((await mine()).slice(2)).toEqual(['The finding «Small groups» is overdue']);
    expect((await toldOwner()).map(({ title }) => title)).toContain('The finding «Small groups» is overdue');

    await app.run(resolveFinding, validator, { findingId: id, resolution: 'Done' });
    app.clock.advance(dayMs);
    await tick(app, lookAheadTick);
    expect(await mine()).toHaveLength(3);
  });
});

test('a request that is about to expire asks those once more whose decision is missing', async () => {
  const given = await givenPromotable(app);
  await givenRequest(app, given);
  await app.drainJobs({ tolerant: true });
  const told = await watchInbox(app, given.compliance);

  const { data } = await app.graphql<{ changeRequests: { nodes: { expiresAt: string }[] } }>(
    given.engineer,
    `{ changeRequests(first: 1) { nodes { expiresAt } } }`,
  );
  const expiresAt = new Date(data?.changeRequests.nodes[0]?.expiresAt ?? 0).getTime();
  app.clock.advance(expiresAt - app.clock.now().getTime() - 86_400_000);
  await lookOnce(app, lookAheadTick);
  await app.drainJobs({ only: ['notifications.lookAhead'] });

  expect((await told()).map(({ event }) => event)).toContain('CHANGE_EXPIRING');
});
