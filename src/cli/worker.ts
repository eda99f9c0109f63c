import { ticks } from '../app.js';
import type { Config } from '../config.js';
import { startWorker, type Transport } from '../worker/index.js';
import { openServing } from './application.js';
import { databaseUrlOf, servingConfig, tell } from './environment.js';
import { endInOrder, leaveSignalsToTheSupervisor } from './lifetime.js';
import { showMetrics } from './metrics-server.js';

/** Performs jobs until it is told to end. */
export const runWorker = async (args: readonly string[]): Promise<void> => {
  leaveSignalsToTheSupervisor(args);
  const { config } = await servingConfig(args);
  const { app, outside, close } = await openServing(config, 'worker');
  const worker = startWorker(
    { ...app, outside },
    { transport: transportOf(config), concurrency: config.workerConcurrency, ticks },
  );
  const shown =
    config.workerMetricsPort === null
      ? null
      : await showMetrics({ host: config.host, port: config.workerMetricsPort, metrics: app.metrics });
  endInOrder(args, async () => {
    await worker.close();
    await shown?.close();
    await close();
  });
  app.log.info({ queue: config.queue.kind, concurrency: config.workerConcurrency }, 'The worker is ready');
  tell({ say: 'ready' });
};

const transportOf = (config: Config): Transport =>
  config.queue.kind === 'redis' ? config.queue : { kind: 'postgres', url: databaseUrlOf(config, 'worker') };
