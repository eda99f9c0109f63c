import { systemActor } from '../kernel/actor.js';
import type { Db } from '../kernel/db.js';
import { AppError, type ErrorCode } from '../kernel/errors.js';
import { giveUpJob } from '../kernel/give-up.js';
import type { Metrics } from '../kernel/metrics.js';
import { asSystem } from '../kernel/system.js';
import { withTrace } from '../kernel/trace.js';
import { perform, traceOf, type WorkerParts } from './perform.js';
import { Final, NotBefore, type Parcel, type Received } from './queues.js';

/** A parcel that ended this many processes is not tried again: it would end the next one too. */
const mostDeaths = 10;

/** Refusals that another try would only repeat. A CONFLICT may be over in a moment, so it is tried again. */
const finalCodes: ReadonlySet<ErrorCode> = new Set([
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'NOT_FOUND',
  'INVALID_INPUT',
  'PRECONDITION_FAILED',
]);

/**
 * Performs what a worker received and keeps what people see of it up to date; throws what the queue must know. All of
 * it, its lines in the log too, stands under the request that caused it.
 */
export const deliver = (parts: WorkerParts, received: Received, stop: AbortSignal): Promise<void> =>
  withTrace(traceOf(received.parcel), () => delivered(parts, received, stop));

const delivered = async (parts: WorkerParts, received: Received, stop: AbortSignal): Promise<void> => {
  const { parcel, attempt } = received;
  const job = parts.jobs.get(parcel.job);
  const attempts = job?.attempts ?? 1;
  const row = job?.visible ? watchedRow(parts.db, parcel) : unwatched;
  const observe = observer(parts.metrics, parcel.job);
  const line = { job: parcel.job, jobId: parcel.id, attempt };
  try {
    refuseHopeless(received, attempts);
    await row.running(attempt);
    await perform(parts, { ...parcel, attempt }, stop);
    await row.done();
    parts.log.info({ ...line, milliseconds: observe('done') }, 'job');
  } catch (error) {
    // The worker ends; this is not the job's failure.
    if (stop.aborted) throw error;
    const isLast = attempt >= attempts || isFinal(error);
    const milliseconds = observe(isLast ? 'given-up' : 'failed');
    parts.log.warn({ err: error, ...line, attempts, milliseconds }, failureLine(isLast));
    if (isLast) {
      await giveUp(parts, received, error);
      throw new Final('given up', { cause: error });
    }
    const next = `Try ${String(attempt)} of ${String(attempts)} failed, another follows.`;
    await row.waiting(`${next} ${sentenceOf(error, parcel.id)}`);
    throw withWait(error);
  }
};

const longestWaitSeconds = 3600;

/** A vendor that says how long to wait is taken at its word: coming back earlier only uses up the tries. */
const withWait = (error: unknown): unknown => {
  if (!(error instanceof AppError) || error.code !== 'RATE_LIMITED') return error;
  const { retryAfterSeconds } = error.details;
  if (typeof retryAfterSeconds !== 'number' || !(retryAfterSeconds > 0)) return error;
  return new NotBefore(1000 * Math.min(retryAfterSeconds, longestWaitSeconds), { cause: error });
};

/** Measures how a job ended; returns the milliseconds it took, for the log. */
const observer = (metrics: Metrics, job: string): ((outcome: string) => number) => {
  const started = performance.now();
  return (outcome) => {
    const milliseconds = performance.now() - started;
    metrics.job.observe({ job, outcome }, milliseconds / 1000);
    return Math.round(milliseconds * 10) / 10;
  };
};

const refuseHopeless = ({ attempt, deaths }: Received, attempts: number): void => {
  if (deaths > mostDeaths) throw new Final(`The process that worked on it ended ${String(deaths)} times`);
  // Every try was made before; only giving up had failed.
  if (attempt > attempts) throw new Final('It failed as often as it may');
};

const failureLine = (isLast: boolean): string =>
  isLast ? 'A job failed for the last time' : 'A job failed and will be tried again';

const isFinal = (error: unknown): boolean =>
  error instanceof Final || (error instanceof AppError && finalCodes.has(error.code));

/** The sentence for people: what a refusal says is written for them, what a bug says is not. */
export const sentenceOf = (error: unknown, jobId: string): string => {
  if (error instanceof AppError) return error.message.slice(0, 1000);
  if (error instanceof Final) return `${error.message}; the log has it under the job ${jobId}.`;
  if (error instanceof Error && error.name === 'TimeoutError') return error.message;
  return `Something went wrong on our side; the log has it under the job ${jobId}.`;
};

const giveUp = async (parts: WorkerParts, { parcel, attempt }: Received, error: unknown): Promise<void> => {
  const actor = systemActor(`job:${parcel.job}`, parcel);
  const input = {
    id: parcel.id,
    name: parcel.job,
    attempts: attempt,
    reason: sentenceOf(error, parcel.id),
    code: error instanceof AppError ? error.code : 'INTERNAL',
  };
  // The effect key makes a second delivery of the last failure one entry of the trail, not two.
  await parts.run(giveUpJob, actor, input, { effectKey: `${parcel.id}:giveUp` });
};

/** What people see of a job they wait for. */
interface WatchedRow {
  readonly running: (attempt: number) => Promise<void>;
  readonly waiting: (message: string) => Promise<void>;
  readonly done: () => Promise<void>;
}

const unwatched: WatchedRow = {
  running: () => Promise.resolve(),
  waiting: () => Promise.resolve(),
  done: () => Promise.resolve(),
};

const watchedRow = (db: Db, { id }: Parcel): WatchedRow => {
  const change = async (assignments: string, ...values: unknown[]): Promise<void> => {
    await asSystem(db, (tx) => tx.sql(`update job set ${assignments} where id = $1`, [id, ...values]));
  };
  return {
    running: (attempt) =>
      change(
        `state = 'RUNNING', attempts = $2, message = '', started_at = coalesce(started_at, now())`,
        attempt,
      ),
    waiting: (message) => change(`state = 'QUEUED', message = $2`, message),
    done: () => change(`state = 'DONE', progress = 1, finished_at = now()`),
  };
};
