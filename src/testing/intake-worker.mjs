/**
 * A worker process that is to be killed during intake. It runs the built product; only what it is handed is wrapped
 * here: when everything is examined and before anything is recorded, it tells its parent and waits to be killed.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const { dist, databaseUrl, folder, delivery, hangs } = JSON.parse(process.argv[2] ?? '{}');
const load = (file) => import(pathToFileURL(join(dist, file)).href);
const [{ openApp }, { openKeyring }, { openLog }, { openOutside, noChat }, { openCompute }, { perform }] =
  await Promise.all(
    [
      'app.js',
      'kernel/keyring.js',
      'kernel/log.js',
      'integrations/outside.js',
      'compute/index.js',
      'worker/perform.js',
    ].map(load),
  );

const keyring = await openKeyring(join(folder, 'keyring.json'), { createIfMissing: false });
const poolSize = { app_writer: 2, app_reader: 2, app_system: 2 };
const log = openLog({ level: 'silent' });
const app = await openApp({ databaseUrl, keyring, log, name: 'killed', poolSize });
const compute = openCompute({ threads: 1 });
const outside = await openOutside(
  { kind: 'file', folder: join(folder, 'artifacts') },
  { chat: noChat, compute },
);

const run = (command, ...rest) => {
  if (!hangs || command.name !== 'modelVersion.recordIntake') return app.run(command, ...rest);
  process.send('inside');
  return new Promise(() => undefined);
};

// Never outlives the test that started it.
process.once('disconnect', () => process.exit());
await perform({ ...app, run, outside }, delivery, new AbortController().signal);
process.send('done');
