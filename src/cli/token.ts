import { processEnvironment, readConfig, type Config } from '../config.js';
import { isRole, roles } from '../kernel/actor.js';
import { openKeyring } from '../kernel/keyring.js';
import { openSigner } from '../kernel/signer.js';
import { openLog } from '../kernel/log.js';
import { CliError } from './fault.js';
import { readRuntime } from './runtime-file.js';
import { print } from './terminal.js';

/** Prints a token of one hour for the demo person of a role, and nothing else, so that scripts can take it. */
export const runToken = async ([role = '']: readonly string[]): Promise<void> => {
  const config = readConfig(processEnvironment());
  if (config.mode === 'production') {
    throw new CliError(
      'Development tokens are made in development mode only; sign in and create a token instead.',
    );
  }
  const people = roles.filter((one) => one !== 'service');
  if (!isRole(role) || role === 'service')
    throw new CliError(`Name a role: countersign token ${people.join('|')}`);
  const databaseUrl = await runningDatabase(config);
  // Loaded only when it is clear that a token can be made.
  const [{ openApp }, { issueDevelopmentToken }] = await Promise.all([
    import('../app.js'),
    import('../features/identity/index.js'),
  ]);
  const keyring = await openKeyring(config.keyring.path, config.keyring);
  const signer = await openSigner(config.signingKeys.path, { ...config.signingKeys, issuer: config.url });
  const log = openLog({ level: 'silent' });
  const poolSize = { app_writer: 1, app_reader: 1, app_system: 1 };
  const app = await openApp({ databaseUrl, keyring, signer, log, name: 'countersign-token', poolSize });
  try {
    const { secret } = await issueDevelopmentToken(app, config, role);
    print(secret);
  } finally {
    await app.close();
  }
};

const runningDatabase = async (config: Config): Promise<string> => {
  if (config.database.kind === 'external') return config.database.url;
  const runtime = await readRuntime(config.home);
  if (runtime) return runtime.databaseUrl;
  throw new CliError(
    `Nothing runs with the home ${config.home}. Run \`npm start\` in another terminal first.`,
  );
};
