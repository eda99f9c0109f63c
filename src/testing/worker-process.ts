import { join } from 'node:path';
import { z } from 'zod';
import { openAccess } from '../kernel/access.js';
import { systemClock } from '../kernel/clock.js';
import { commandRunner } from '../kernel/command.js';
import { openDb } from '../kernel/db.js';
import { defineJob } from '../kernel/job.js';
import { openKeyring } from '../kernel/keyring.js';
import { openLog } from '../kernel/log.js';
import { openMetrics } from '../kernel/metrics.js';
import { queryRunner } from '../kernel/query.js';
import { recordRunner } from '../kernel/record.js';
import { installationRoot } from '../kernel/root.js';
import { openSigner } from '../kernel/signer.js';
import { startWorker } from '../worker/index.js';
import { openTestOutside } from './outside.js';

/** A worker process that begins `test.killed`, says so, and never ends it. Started by the worker's contract. */
const settings = z
  .object({
    databaseUrl: z.string(),
    folder: z.string(),
    transport: z.object({ kind: z.enum(['postgres', 'redis']), url: z.string() }),
  })
  .parse(JSON.parse(process.argv[2] ?? '{}'));

const log = openLog({ level: 'silent' });
const metrics = openMetrics();
const db = await openDb({
  url: settings.databaseUrl,
  entities: [],
  poolSize: { app_writer: 2, app_reader: 2, app_system: 2 },
  statementTimeoutMs: 10_000,
  name: 'worker-process',
  onError: () => undefined,
});
const access = await openAccess(join(installationRoot, 'policies'));
const keyring = await openKeyring(join(settings.folder, 'keyring.json'), { createIfMissing: false });
const signer = await openSigner(join(settings.folder, 'signing-keys.json'), {
  createIfMissing: true,
  issuer: 'https://countersign.test',
});
const machine = {
  db,
  access,
  clock: systemClock,
  keyring,
  signer,
  consequences: [],
  reactions: [],
  observe: metrics.observe,
};
const hang = defineJob({
  name: 'test.killed',
  queue: 'light',
  payload: z.object({ n: z.number() }),
  attempts: 3,
  timeoutMs: 60_000,
  visible: true,
  handle: () => {
    process.send?.('inside');
    return new Promise(() => undefined);
  },
});
const outside = await openTestOutside(settings.folder);
const parts = {
  db,
  log,
  metrics,
  outside,
  clock: systemClock,
  run: commandRunner(machine),
  ask: queryRunner(machine),
  record: recordRunner(machine),
  jobs: new Map([[hang.name, hang]]),
};
startWorker(parts, { transport: settings.transport, concurrency: 1, ticks: [] });
// Never outlives the test that started it.
process.once('disconnect', () => process.exit());
process.send?.('ready');
