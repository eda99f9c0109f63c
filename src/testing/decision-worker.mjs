/**
 * A worker process that is to be killed inside a step. It runs the built product; only what it is handed is wrapped
 * here: at the chosen transaction it tells its parent, and waits to be killed, before the commit or right after it.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const { dist, databaseUrl, folder, delivery, hang } = JSON.parse(process.argv[2] ?? '{}');
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

const never = () => new Promise(() => undefined);
const keyring = await openKeyring(join(folder, 'keyring.json'), { createIfMissing: false });
const poolSize = { app_writer: 2, app_reader: 2, app_system: 2 };
const log = openLog({ level: 'silent' });
const app = await openApp({ databaseUrl, keyring, log, name: 'killed', poolSize });
const compute = openCompute({ threads: 1 });
const outside = await openOutside(
  { kind: 'file', folder: join(folder, 'artifacts') },
  { chat: noChat, compute },
);

let transactions = 0;
const record = async (actor, spec) => {
  transactions += 1;
  if (transactions !== hang?.at) return app.record(actor, spec);
  const inside = () => {
    process.send('inside');
    return never();
  };
  if (hang.committed) {
    await app.record(actor, spec);
    return inside();
  }
  /** Everything of the step has happened but the commit. */
  const write = async (context) => {
    await spec.write(context);
    return inside();
  };
  return app.record(actor, { ...spec, write });
};

// Never outlives the test that started it.
process.once('disconnect', () => process.exit());
await perform({ ...app, record, outside }, delivery, new AbortController().signal);
process.send('done');
