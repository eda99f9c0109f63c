import { ticks } from '../app.js';
import type { Config } from '../config.js';
import { slackReceiver } from '../features/slack/receiver.js';
import { openSlackSocket, type SlackSocket } from '../integrations/slack-socket.js';
import { startWorker, type Transport } from '../worker/index.js';
import { openServing, type Serving } from './application.js';
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
  const socket = socketOf(config, { app, outside });
  const shown =
    config.workerMetricsPort === null
      ? null
      : await showMetrics({ host: config.host, port: config.workerMetricsPort, metrics: app.metrics });
  endInOrder(args, async () => {
    await socket?.close();
    await worker.close();
    await shown?.close();
    await close();
  });
  app.log.info({ queue: config.queue.kind, concurrency: config.workerConcurrency }, 'The worker is ready');
  tell({ say: 'ready' });
};

const transportOf = (config: Config): Transport =>
  config.queue.kind === 'redis' ? config.queue : { kind: 'postgres', url: databaseUrlOf(config, 'worker') };

/** Clicks in Slack come to the worker when it has an app-level token; several workers share them. */
const socketOf = (
  { slack }: Config,
  { app, outside }: Pick<Serving, 'app' | 'outside'>,
): SlackSocket | null => {
  if (slack.appToken === null) return null;
  const receive = slackReceiver({ run: app.run, slack: outside.slack, clock: app.clock });
  return openSlackSocket({ appToken: slack.appToken, apiUrl: slack.apiUrl, log: app.log, receive });
};
