import type { Log } from '../kernel/log.js';
import { queues, type QueueName } from '../kernel/job.js';
import type { Tick } from '../kernel/tick.js';
import { startClock } from './clock.js';
import { deliver } from './deliver.js';
import type { WorkerParts } from './perform.js';
import { openReceiver, openSender, type Receiver, type Transport } from './queues.js';
import { startRelay } from './relay.js';

export { migrateQueue } from './migrate-queue.js';
export type { Transport } from './queues.js';

/** How a worker works. */
export interface WorkerOptions {
  readonly transport: Transport;
  /** Jobs of one queue at the same time. */
  readonly concurrency: number;
  readonly ticks: readonly Tick[];
  /** The queues this process serves; all of them when not given. */
  readonly only?: readonly QueueName[];
  /** How long to wait at the end for jobs in hand. */
  readonly patienceMs?: number;
}

/** A running worker. */
export interface RunningWorker {
  /** Ends in order: clock, what is in hand, relay. */
  readonly close: () => Promise<void>;
}

const defaultPatienceMs = 20_000;

/** Starts relay, clock and the receivers of the queues. */
export const startWorker = (parts: WorkerParts, options: WorkerOptions): RunningWorker => {
  const { transport, concurrency } = options;
  const stop = new AbortController();
  const sender = openSender(transport, parts.log);
  const relay = startRelay(parts, sender);
  const clock = startClock(parts, options.ticks);
  const receivers = (options.only ?? queues).map((name) =>
    openReceiver(name, transport, {
      // What computes uses whole cores: as many at once as elsewhere would only make each slower.
      concurrency: name === 'heavy' ? Math.min(2, concurrency) : concurrency,
      log: parts.log,
      handle: (received) => deliver(parts, received, stop.signal),
    }),
  );
  const close = async (): Promise<void> => {
    await clock.close();
    await drainAll(receivers, options.patienceMs ?? defaultPatienceMs, parts.log);
    const abandoned = receivers.map((receiver) => receiver.abandon());
    stop.abort();
    await Promise.all(abandoned);
    await relay.close();
    await sender.close();
  };
  const state: { closing?: Promise<void> } = {};
  return { close: () => (state.closing ??= close()) };
};

/** What is not ready in time is let go: its lock ends and another worker starts it anew. */
const drainAll = async (receivers: readonly Receiver[], patienceMs: number, log: Log): Promise<void> => {
  const timer: { id?: NodeJS.Timeout } = {};
  const late = new Promise<'late'>((resolve) => {
    timer.id = setTimeout(() => {
      resolve('late');
    }, patienceMs);
  });
  const drained = Promise.all(receivers.map((receiver) => receiver.drain()));
  const outcome = await Promise.race([drained, late]);
  clearTimeout(timer.id);
  if (outcome === 'late') log.warn('Jobs in hand are let go; another worker starts them anew');
};
