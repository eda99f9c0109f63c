import { setUpDemo } from '../demo/setup.js';
import { openDoor } from '../door.js';
import { openServing } from './application.js';
import { servingConfig, tell } from './environment.js';
import { CliError } from './fault.js';
import { endInOrder, leaveSignalsToTheSupervisor } from './lifetime.js';

/** Serves the HTTP door until it is told to end. */
export const runApi = async (args: readonly string[]): Promise<void> => {
  leaveSignalsToTheSupervisor(args);
  const { config, demo } = await servingConfig(args);
  const { app, outside, close } = await openServing(config, 'api');
  const door = await openDoor(app, config, { outside }).catch(async (error: unknown) => {
    await close();
    throw portFault(error, config.host, config.port);
  });
  if (demo && config.oidc.kind === 'external') await setUpDemo(app, config.oidc.issuer);
  endInOrder(args, async () => {
    await door.close();
    await close();
  });
  app.log.info({ address: door.address, url: config.url }, 'The api is ready');
  tell({ say: 'ready' });
};

const portFault = (error: unknown, host: string, port: number): unknown => {
  if (!(error instanceof Error) || !('code' in error) || error.code !== 'EADDRINUSE') return error;
  return new CliError(
    `Port ${String(port)} of ${host} is used by another program. Stop it, or set PORT to another.`,
  );
};
