import { Worker } from 'node:worker_threads';
import type { Compute } from '../kernel/ports.js';
import { entryPoint } from './entry.js';
import { receiveError, type Answer } from './messages.js';
import { createNativeSection, type NativeSection } from './native-section.js';
import { tasks } from './tasks.js';

interface Ticket {
  readonly id: number;
  readonly task: string;
  readonly input: unknown;
  readonly isLong: boolean;
  readonly resolve: (output: unknown) => void;
  readonly reject: (error: unknown) => void;
}

interface Thread {
  readonly worker: Worker;
  readonly native: NativeSection;
}

interface Seat {
  thread: Thread | null;
  ticket: Ticket | null;
}

interface Pool {
  readonly seats: Seat[];
  readonly waiting: Ticket[];
  isClosed: boolean;
}

/** A pool of worker threads behind the compute port. */
export const createPool = (threads: number): Compute => {
  const pool: Pool = {
    seats: Array.from({ length: threads }, () => ({ thread: null, ticket: null })),
    waiting: [],
    isClosed: false,
  };
  let last = 0;
  return {
    run: <Output>(task: string, input: unknown, options: { timeoutMs: number; signal?: AbortSignal }) => {
      const entry = tasks[task];
      if (!entry) return Promise.reject(new Error(`There is no task ${task}`));
      if (pool.isClosed) return Promise.reject(new Error('The compute pool is closed'));
      last += 1;
      const about = { id: last, task, input, isLong: entry.lane === 'long' };
      // The caller names the output of the task it asks for; nothing but that task answers.
      return perform(pool, about, options) as Promise<Output>;
    },
    close: async () => {
      pool.isClosed = true;
      for (const ticket of pool.waiting.splice(0)) ticket.reject(new Error('The compute pool is closed'));
      await Promise.all(pool.seats.map((seat) => vacate(seat, new Error('The compute pool is closed'))));
    },
  };
};

type About = Pick<Ticket, 'id' | 'task' | 'input' | 'isLong'>;

const perform = (
  pool: Pool,
  about: About,
  { timeoutMs, signal }: { timeoutMs: number; signal?: AbortSignal },
): Promise<unknown> =>
  new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(reasonOf(signal));
      return;
    }
    const settle = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    };
    const ticket: Ticket = {
      ...about,
      resolve: (output) => {
        settle();
        resolve(output);
      },
      reject: (error) => {
        settle();
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- it is the caller's abort reason
        reject(error);
      },
    };
    const timer = setTimeout(() => {
      giveUp(pool, ticket, timeoutError(about.task, timeoutMs));
    }, timeoutMs);
    const onAbort = (): void => {
      giveUp(pool, ticket, signal ? reasonOf(signal) : null);
    };
    signal?.addEventListener('abort', onAbort);
    pool.waiting.push(ticket);
    seatNext(pool);
  });

const reasonOf = (signal: AbortSignal): Error =>
  signal.reason instanceof Error ? signal.reason : new Error('The work was cancelled');

const timeoutError = (task: string, timeoutMs: number): Error => {
  const error = new Error(`The task ${task} took longer than the ${String(timeoutMs)} ms that it may take`);
  error.name = 'TimeoutError';
  return error;
};

/** JavaScript that calculates cannot be interrupted, so the thread goes with its task; another starts when needed. */
const giveUp = (pool: Pool, ticket: Ticket, error: unknown): void => {
  const place = pool.waiting.indexOf(ticket);
  if (place >= 0) {
    pool.waiting.splice(place, 1);
    ticket.reject(error);
    return;
  }
  const seat = pool.seats.find((candidate) => candidate.ticket === ticket);
  if (!seat) return;
  void vacate(seat, error).then(() => {
    seatNext(pool);
  });
};

const vacate = async (seat: Seat, error: unknown): Promise<void> => {
  const { thread, ticket } = seat;
  seat.thread = null;
  seat.ticket = null;
  ticket?.reject(error);
  await thread?.native.closed();
  await thread?.worker.terminate();
};

/** A thread that runs already is preferred: it has the models open. */
const freeSeat = (pool: Pool): Seat | undefined => {
  const free = pool.seats.filter((seat) => seat.ticket === null);
  return free.find((seat) => seat.thread !== null) ?? free[0];
};

/** First come, first served, but long tasks never take the last thread. */
const nextTicket = (pool: Pool): Ticket | undefined => {
  const long = pool.seats.filter((seat) => seat.ticket?.isLong === true).length;
  const mayBeLong = long < Math.max(1, pool.seats.length - 1);
  const place = pool.waiting.findIndex((ticket) => !ticket.isLong || mayBeLong);
  return place < 0 ? undefined : pool.waiting.splice(place, 1)[0];
};

const seatNext = (pool: Pool): void => {
  while (!pool.isClosed) {
    const seat = freeSeat(pool);
    if (!seat) return;
    const ticket = nextTicket(pool);
    if (!ticket) return;
    seat.ticket = ticket;
    seat.thread ??= startThread(pool, seat);
    // A process may end when nothing is calculated.
    seat.thread.worker.ref();
    const { id, task, input } = ticket;
    try {
      seat.thread.worker.postMessage({ id, task, input });
    } catch (error) {
      // Data that cannot be sent is the caller's fault; the thread is as it was.
      release(pool, seat).reject(error);
    }
  }
};

const startThread = (pool: Pool, seat: Seat): Thread => {
  const { path, execArgv } = entryPoint('./thread');
  // Threads calculate; they get no settings and no secrets.
  const native = createNativeSection();
  const options = {
    execArgv: [...execArgv],
    env: {},
    name: 'countersign-compute',
    workerData: native.shared,
  };
  const worker = new Worker(path, options);
  worker.on('message', (answer: Answer) => {
    if (seat.thread?.worker !== worker || seat.ticket?.id !== answer.id) return;
    const ticket = release(pool, seat);
    if (answer.ok) ticket.resolve(answer.output);
    else ticket.reject(receiveError(answer.error));
    seatNext(pool);
  });
  const ended = (error: Error): void => {
    if (seat.thread?.worker !== worker) return;
    void vacate(seat, error).then(() => {
      seatNext(pool);
    });
  };
  worker.on('error', (error) => {
    ended(error instanceof Error ? error : new Error('The thread failed'));
  });
  worker.on('exit', (code) => {
    ended(new Error(`The thread ended with code ${String(code)} before it answered`));
  });
  return { worker, native };
};

const nobody: Pick<Ticket, 'resolve' | 'reject'> = { resolve: () => undefined, reject: () => undefined };

const release = (pool: Pool, seat: Seat): Pick<Ticket, 'resolve' | 'reject'> => {
  const ticket = seat.ticket ?? nobody;
  seat.ticket = null;
  if (pool.waiting.length === 0) seat.thread?.worker.unref();
  return ticket;
};
