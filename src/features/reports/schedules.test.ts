import { beforeAll, describe, expect, test } from 'vitest';
import { asSystem } from '../../kernel/system.js';
import { dueId } from '../../kernel/tick.js';
import { givenVersion } from '../../testing/given-version.js';
import { testApp, type TestApp } from '../../testing/test-app.js';
import { deleteModel } from '../registry/index.js';
import { dueSchedules, scheduleTick } from './due-schedules.js';
import { runReportSchedule } from './reports.commands/run-schedule.js';
import { nextTime, planOf, previousTime } from './schedule-times.js';

const at = (text: string): Date => new Date(text);
const iso = (times: readonly Date[]): string[] => times.map((time) => time.toISOString());
const berlin = (cron: string) => ({ cron, timeZone: 'Europe/Berlin' });

const following = (timetable: { cron: string; timeZone: string }, from: string, count: number): string[] => {
  const times: Date[] = [];
  for (let last = at(from); times.length < count; last = times.at(-1) ?? last) times.push(nextTime(timetable, last));
  return iso(times);
};

describe('times of a schedule', () => {
  test('keep their hour on the clocks of the place when summer time begins and ends', () => {
    expect(following(berlin('0 8 * * *'), '2026-03-28T00:00:00Z', 3)).toEqual([
      '2026-03-28T07:00:00.000Z',
      '2026-03-29T06:00:00.000Z',
      '2026-03-30T06:00:00.000Z',
    ]);
  });

  test('inside of the hour that is skipped come once, an hour later', () => {
    expect(following(berlin('30 2 * * *'), '2026-03-28T12:00:00Z', 2)).toEqual([
      '2026-03-29T01:30:00.000Z',
      '2026-03-30T00:30:00.000Z',
    ]);
  });

  test('inside of the hour that comes twice are due once', () => {
    expect(following(berlin('30 2 * * *'), '2026-10-24T12:00:00Z', 2)).toEqual([
      '2026-10-25T00:30:00.000Z',
      '2026-10-26T01:30:00.000Z',
    ]);
  });

  test('on the 29th of February come in leap years only', () => {
    expect(following(berlin('0 0 29 2 *'), '2026-01-01T00:00:00Z', 2)).toEqual([
      '2028-02-28T23:00:00.000Z',
      '2032-02-28T23:00:00.000Z',
    ]);
  });

  test('have one before, where a period begins', () => {
    expect(previousTime(berlin('0 8 1 * *'), at('2026-04-01T06:00:00Z')).toISOString()).toBe('2026-03-01T07:00:00.000Z');
  });
});

describe('after three days in which nothing ran', () => {
  const schedule = { ...berlin('0 8 * * *'), nextRunAt: at('2026-11-20T07:00:00Z') };
  const now = at('2026-11-22T12:00:00Z');
  const outcomes = (catchUp: 'SKIP' | 'ONCE' | 'ALL', later = now) =>
    planOf({ ...schedule, catchUp }, later).due.map(({ outcome }) => outcome);

  test('a schedule makes up for nothing, for the last time, or for each, as it says', () => {
    expect(outcomes('SKIP')).toEqual(['SKIPPED', 'SKIPPED', 'SKIPPED']);
    expect(outcomes('ONCE')).toEqual(['SKIPPED', 'SKIPPED', 'RENDERED']);
    expect(outcomes('ALL')).toEqual(['RENDERED', 'RENDERED', 'RENDERED']);
    expect(planOf({ ...schedule, catchUp: 'ALL' }, now).next.toISOString()).toBe('2026-11-23T07:00:00.000Z');
  });

  test('however many times passed, making up for the last one makes one report', () => {
    const often = { ...berlin('*/15 * * * *'), catchUp: 'ONCE' as const };
    const rendered: Date[] = [];
    for (let nextRunAt = at('2026-11-19T12:15:00Z'); nextRunAt <= now; ) {
      const { due, next } = planOf({ ...often, nextRunAt }, now);
      rendered.push(...due.filter(({ outcome }) => outcome === 'RENDERED').map((time) => time.at));
      nextRunAt = next;
    }

    expect(iso(rendered)).toEqual(['2026-11-22T12:00:00.000Z']);
  });

  test('a time that has just passed is not missed', () => {
    expect(outcomes('SKIP', at('2026-11-22T07:00:30Z')).at(-1)).toBe('RENDERED');
  });

  test('a clock that stepped back makes nothing due twice', () => {
    expect(planOf({ ...schedule, catchUp: 'ALL' }, at('2026-11-20T06:59:00Z'))).toEqual({ due: [], next: schedule.nextRunAt });
  });
});

const CREATE = `mutation ($input: ReportScheduleCreateInput!) { createReportSchedule(input: $input) { id } }`;
const PAUSE = `mutation ($input: ReportSchedulePauseInput!) { pauseReportSchedule(input: $input) { id } }`;
const RESUME = `mutation ($input: ReportScheduleResumeInput!) { resumeReportSchedule(input: $input) { id } }`;
const LIST = `{ reportSchedules { nodes { id state nextRunAt lastRunAt lastReportId cron timeZone catchUp } } }`;
const dayMs = 86_400_000;

interface Listed {
  reportSchedules: { nodes: { id: string; state: string; nextRunAt: string | null; lastRunAt: string | null; lastReportId: string | null }[] };
}

describe('a schedule of a workspace', () => {
  let app: TestApp;
  let versionId: string;
  let modelId: string;
  beforeAll(async () => {
    app = await testApp();
    ({ versionId, modelId } = await givenVersion(app));
    await app.drainJobs();
  });

  const create = async (change: Record<string, unknown> = {}, role: 'compliance' | 'engineer' = 'compliance') =>
    app.graphql<{ createReportSchedule: { id: string } }>(await app.actor(role), CREATE, {
      input: { name: 'Every morning', template: 'model-version', subjectId: versionId, cron: '0 8 * * *', timeZone: 'Europe/Berlin', ...change },
    });

  const shown = async (id: string) => {
    const { data } = await app.graphql<Listed>(await app.actor('auditor'), LIST);
    return data?.reportSchedules.nodes.find((one) => one.id === id);
  };

  /** Looks as the worker's clock does, and performs what it asks for. */
  const tick = async (): Promise<string[]> => {
    const asked: { scheduleId: string; workspaceId: string; organizationId: string | null }[] = [];
    await asSystem(app.db, (tx) =>
      scheduleTick.look({
        tx,
        now: app.clock.now(),
        enqueue: (job, payload, options) => {
          asked.push({ ...(job.parse(payload) as { scheduleId: string }), ...options });
          return dueId(options.key, options.dueAt);
        },
      }),
    );
    for (const { scheduleId } of asked) await app.run(runReportSchedule, app.system('job:reports.runSchedule'), { scheduleId });
    await app.drainJobs();
    return asked.map(({ scheduleId }) => scheduleId);
  };

  test('renders a report when its time has come, once, and is due again a day later', async () => {
    const { data } = await create();
    const id = data?.createReportSchedule.id ?? '';
    expect(await tick()).toEqual([]);

    app.clock.advance(dayMs);
    expect(await tick()).toEqual([id]);
    expect(await tick()).toEqual([]);

    const schedule = await shown(id);
    expect(schedule?.lastReportId).not.toBeNull();
    expect(new Date(schedule?.nextRunAt ?? 0).getTime() - new Date(schedule?.lastRunAt ?? 0).getTime()).toBe(dayMs);
    expect(await app.trail(schedule?.lastReportId ?? '')).toMatchObject([
      { command: 'reportSchedule.run' },
      { command: 'report.begin' },
      { command: 'report.record' },
    ]);
    await app.graphql(await app.actor('compliance'), PAUSE, { input: { scheduleId: id } });
  }, 30_000);

  test('is not settled twice by two workers that look at the same moment', async () => {
    const { data } = await create({ cron: '0 * * * *', catchUp: 'ALL' });
    const scheduleId = data?.createReportSchedule.id ?? '';
    app.clock.advance(2 * 3_600_000);
    const actor = app.system('job:reports.runSchedule');

    const opened = await Promise.all([app.run(runReportSchedule, actor, { scheduleId }), app.run(runReportSchedule, actor, { scheduleId })]);

    expect(opened.map((one) => one.opened).sort()).toEqual([0, 2]);
    await app.graphql(await app.actor('compliance'), PAUSE, { input: { scheduleId } });
    await app.drainJobs();
  }, 30_000);

  test('is not due while it is paused, and goes on from now when it is resumed', async () => {
    const { data } = await create();
    const scheduleId = data?.createReportSchedule.id ?? '';
    await app.graphql(await app.actor('compliance'), PAUSE, { input: { scheduleId } });
    app.clock.advance(3 * dayMs);

    expect(await asSystem(app.db, (tx) => dueSchedules(tx, app.clock.now()))).toEqual([]);
    await app.graphql(await app.actor('compliance'), RESUME, { input: { scheduleId } });
    expect(new Date((await shown(scheduleId))?.nextRunAt ?? 0).getTime()).toBeGreaterThan(app.clock.now().getTime());
    expect((await app.graphql(await app.actor('compliance'), RESUME, { input: { scheduleId } })).code).toBe('CONFLICT');
  });

  test.each([
    ['by an engineer', {}, 'engineer', 'FORBIDDEN'],
    ['in a time zone that does not exist', { timeZone: 'Europe/Atlantis' }, 'compliance', 'INVALID_INPUT'],
    ['at times that are no cron expression', { cron: 'every day at 8' }, 'compliance', 'INVALID_INPUT'],
    ['at times that never come', { cron: '0 0 30 2 *' }, 'compliance', 'INVALID_INPUT'],
    ['every minute', { cron: '* * * * *' }, 'compliance', 'INVALID_INPUT'],
    ['too often late in the day only', { cron: '0,50 0,3,6,9,12,15,18,21,22 * * *' }, 'compliance', 'INVALID_INPUT'],
    ['about a version that is not here', { subjectId: crypto.randomUUID() }, 'compliance', 'NOT_FOUND'],
  ] as const)('is not created %s', async (_, change, role, code) => {
    expect((await create(change, role)).code).toBe(code);
  });

  test('pauses by itself when what it reports on is gone, and the trail says why', async () => {
    const { data } = await create();
    const id = data?.createReportSchedule.id ?? '';
    await app.run(deleteModel, await app.actor('engineer'), { modelId });
    app.clock.advance(dayMs);
    await tick();

    expect(await shown(id)).toMatchObject({ state: 'PAUSED', nextRunAt: null, lastReportId: null });
  });
});
