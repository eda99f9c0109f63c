import { createPostgresBackend, Queue, UnrecoverableError, Worker, withBackend, type Job } from 'bullmq';
import type { Log } from '../kernel/log.js';
import { queues, type QueueName } from '../kernel/job.js';
import { postgresConnection, redisConnection } from './connections.js';

/** How jobs travel: through the database itself, or through Redis. */
export type Transport =
  { readonly kind: 'postgres'; readonly url: string } | { readonly kind: 'redis'; readonly url: string };

/** A job as it lies in the queue: what the outbox row said. */
export interface Parcel {
  readonly id: string;
  readonly job: string;
  readonly payload: unknown;
  readonly workspaceId: string | null;
  readonly organizationId: string | null;
  readonly requestId: string | null;
}

/** A job to be handed over, and how often it may be tried. */
export interface Posting {
  readonly parcel: Parcel;
  readonly attempts: number;
}

/** A parcel in the hands of a worker. */
export interface Received {
  readonly parcel: Parcel;
  /** 1 for the first try; a try that ended with its process is not counted. */
  readonly attempt: number;
  /** How many processes ended while they had it. */
  readonly deaths: number;
}

/** The sending side of all queues. */
export interface Sender {
  /** Hands over; what is there already under the same id is left as it is. */
  readonly send: (queue: QueueName, postings: readonly Posting[]) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** The receiving side of one queue. */
export interface Receiver {
  /** Takes nothing more and waits for what is in hand. */
  readonly drain: () => Promise<void>;
  /** Lets go of what is still in hand; another worker gets it when its lock ends. */
  readonly abandon: () => Promise<void>;
}

/** Thrown by a handler of parcels when trying again makes no sense. */
export class Final extends Error {
  override readonly name = 'Final';
}

/** Thrown by a handler of parcels when trying again makes no sense before some time has passed. */
export class NotBefore extends Error {
  override readonly name = 'NotBefore';

  constructor(
    readonly waitMs: number,
    options: ErrorOptions,
  ) {
    super('not before', options);
  }
}

/** Jobs that ended are kept this long, so that a hand-over repeated after a crash is recognised. */
const keptSeconds = 3600;
/** Tries beyond those of the definition: giving up writes to the database, and that may fail too. */
const spareAttempts = 20;
const prefix = 'countersign';

/** A killed worker's job goes to another one after about this time. */
const lockMs = 3000;
/** PDFs and sheets may hold the event loop for a moment; a lock must outlast that. */
const heavyLockMs = 5000;

/** Opens the sending side. */
export const openSender = (transport: Transport, log: Log): Sender => {
  const open = queues.map((name) => [name, openQueue(name, transport, log)] as const);
  const byName = new Map(open);
  return {
    send: async (name, postings) => {
      const queue = byName.get(name);
      if (!queue) throw new Error(`There is no queue ${name}`);
      await queue.addBulk(postings.map(bulkEntry));
    },
    close: async () => {
      await Promise.all(open.map(([, queue]) => queue.close()));
    },
  };
};

const bulkEntry = ({ parcel, attempts }: Posting) => ({
  name: parcel.job,
  data: parcel,
  opts: {
    jobId: parcel.id,
    attempts: attempts + spareAttempts,
    backoff: { type: 'growing' },
    removeOnComplete: { age: keptSeconds },
    removeOnFail: { age: 24 * keptSeconds },
    stackTraceLimit: 0,
  },
});

type AnyQueue = Pick<Queue<Parcel>, 'addBulk' | 'close'> & {
  on(event: 'error', listener: (error: Error) => void): unknown;
};

const openQueue = (name: QueueName, transport: Transport, log: Log): AnyQueue => {
  const queue: AnyQueue =
    transport.kind === 'postgres'
      ? new (withBackend(createPostgresBackend).Queue)(name, {
          connection: postgresConnection(transport.url, 1),
        })
      : new Queue(name, { connection: redisConnection(transport.url), prefix });
  queue.on('error', troubleOf(name, log));
  return queue;
};

/** The libraries connect again by themselves; a line per trouble is enough, and no listener would end the process. */
const troubleOf =
  (name: QueueName, log: Log) =>
  (error: Error): void => {
    log.warn({ queue: name, err: error }, 'Trouble with a queue');
  };

/** Opens the receiving side of one queue. */
export const openReceiver = (
  name: QueueName,
  transport: Transport,
  options: { concurrency: number; log: Log; handle: (received: Received) => Promise<void> },
): Receiver => {
  const state = { abandoned: false };
  const process = async (job: Job<Parcel>): Promise<void> => {
    try {
      await options.handle({ parcel: job.data, attempt: job.attemptsMade + 1, deaths: job.stalledCounter });
    } catch (error) {
      // What was let go has not failed: say nothing, so that its lock ends and another worker starts it anew.
      if (state.abandoned) return never();
      // The text of an error may hold personal data; the queue's own table gets the kind of trouble only.
      const kind = error instanceof Error ? error.name : 'Error';
      if (error instanceof NotBefore) throw new NotBefore(error.waitMs, {});
      throw error instanceof Final ? new UnrecoverableError(kind) : new Error(kind);
    }
  };
  const common = {
    concurrency: options.concurrency,
    lockDuration: name === 'heavy' ? heavyLockMs : lockMs,
    stalledInterval: 1000,
    // Not BullMQ's to decide: `deaths` is looked at by the handler, which then leaves a trail.
    maxStalledCount: 1_000_000,
    runRetryDelay: 1000,
    settings: { backoffStrategy: delayAfter },
  };
  const worker =
    transport.kind === 'postgres'
      ? new (withBackend(createPostgresBackend).Worker)<Parcel>(name, process, {
          ...common,
          connection: postgresConnection(transport.url, 3),
        })
      : new Worker<Parcel>(name, process, { ...common, connection: redisConnection(transport.url), prefix });
  worker.on('error', troubleOf(name, options.log));
  return {
    drain: () => worker.pause(),
    abandon: () => {
      state.abandoned = true;
      return worker.close(true);
    },
  };
};

const never = (): Promise<never> =>
  new Promise(() => {
    // Its process ends.
  });

const firstDelayMs = 300;
const longestDelayMs = 60_000;

/** 0.3 s, 0.6 s, 1.2 s … up to a minute, each shortened by up to a quarter, so that many do not come back at once. */
export const growingDelay = (attemptsMade: number): number => {
  const whole = Math.min(longestDelayMs, firstDelayMs * 2 ** (attemptsMade - 1));
  return Math.round(whole * (1 - Math.random() / 4));
};

/** As growingDelay, but never before the time that somebody outside asked to wait. */
export const delayAfter = (attemptsMade: number, _type?: string, error?: Error): number => {
  const growing = growingDelay(attemptsMade);
  return error instanceof NotBefore ? Math.max(growing, error.waitMs) : growing;
};
