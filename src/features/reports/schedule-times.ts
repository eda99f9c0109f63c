import { CronExpressionParser } from 'cron-parser';
import { invalidInput } from '../../kernel/errors.js';
import type { CatchUp, ReportSchedule } from './report-schedule.entity.js';

/** When a schedule is due: five fields of cron, read by the clocks of a time zone. */
export interface Timetable {
  readonly cron: string;
  readonly timeZone: string;
}

const shortestGapMs = 15 * 60_000;
const dayMs = 86_400_000;

/** Six times, and those of two days: the narrowest place between two of them is then among them. */
const isEnough = (times: readonly Date[]): boolean => {
  const [first, last] = [times[0], times.at(-1)];
  if (!first || !last || times.length < 6) return false;
  return last.getTime() - first.getTime() > 2 * dayMs || times.length > 100;
};

const isTimeZone = (name: string): boolean => {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
};

const expressionAt = ({ cron, timeZone }: Timetable, at: Date) =>
  CronExpressionParser.parse(cron, { currentDate: at, tz: timeZone });

/** The first time after `at`. Where clocks skip an hour, a time inside of it comes an hour later. */
export const nextTime = (timetable: Timetable, at: Date): Date => expressionAt(timetable, at).next().toDate();

/** The last time before `at`. */
export const previousTime = (timetable: Timetable, at: Date): Date => expressionAt(timetable, at).prev().toDate();

const fault = (path: string, message: string): never => {
  throw invalidInput(`The schedule is not valid: ${path} ${message}`, [{ path, message }]);
};

/** Refuses what is no cron expression of five fields, no time zone, never due, or due too often. */
export const requireTimetable = (timetable: Timetable, now: Date): void => {
  if (!isTimeZone(timetable.timeZone)) fault('timeZone', 'is not a time zone like Europe/Berlin or UTC');
  if (timetable.cron.trim().split(/\s+/).length !== 5) {
    fault('cron', 'must have five fields: minute, hour, day of month, month, day of week');
  }
  const times: Date[] = [];
  try {
    for (let at = now; !isEnough(times); at = times.at(-1) ?? now) times.push(nextTime(timetable, at));
  } catch {
    fault('cron', 'is not a cron expression, or is never due');
  }
  const tooOften = times.some((time, index) => time.getTime() - (times[index - 1]?.getTime() ?? 0) < shortestGapMs);
  if (tooOften) fault('cron', 'is due more often than every 15 minutes');
};

/** One time at which a schedule was due, and what becomes of it. */
export interface DueTime {
  readonly at: Date;
  readonly outcome: 'RENDERED' | 'SKIPPED';
}

/** What is done with the times that have passed, and when it is due next. */
export interface Plan {
  readonly due: readonly DueTime[];
  readonly next: Date;
}

/** A worker that looks a little late has not missed anything. */
const graceMs = 10 * 60_000;
/** So many times are looked at in one go; after a very long pause the rest follows at the next look. */
const mostTimes = 100;

const chosen = (rule: CatchUp, times: readonly Date[], now: Date, isAll: boolean): ReadonlySet<Date> => {
  const last = times.at(-1);
  if (rule === 'ALL') return new Set(times);
  // The last of these is not the last that passed: it stands among those of the next look.
  if (!isAll) return new Set();
  if (!last || (rule === 'SKIP' && now.getTime() - last.getTime() > graceMs)) return new Set();
  return new Set([last]);
};

/** All times from the due one up to now: ALL renders each, ONCE the last of them, SKIP the last if it is fresh. */
export const planOf = (schedule: Timetable & Pick<ReportSchedule, 'catchUp'> & { nextRunAt: Date }, now: Date): Plan => {
  const times: Date[] = [];
  let at = schedule.nextRunAt;
  while (at <= now && times.length < mostTimes) {
    times.push(at);
    at = nextTime(schedule, at);
  }
  const render = chosen(schedule.catchUp, times, now, at > now);
  return { due: times.map((time) => ({ at: time, outcome: render.has(time) ? 'RENDERED' : 'SKIPPED' })), next: at };
};
