/**
 * Decisions end to end, as they are in production: GraphQL door, outbox, relay, BullMQ on PostgreSQL, worker processes
 * that run the five agents with exact explanations and full traces, on a database that writes to disk before it says
 * so. Everything on this machine, the load included.
 */
import type { ChildProcess } from 'node:child_process';
import { availableParallelism, loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'pg';
import { makeTemporaryHome, startPostgres, type EmbeddedPostgres } from '../src/embedded/postgres/index.js';
import { migrate } from '../src/kernel/db.js';
import { migrateQueue } from '../src/worker/migrate-queue.js';
import { migrations } from '../migrations/index.js';
import { openLoop, sustain, type Latencies, type Throughput } from './decisions/load.js';
import { promote, setUp, type Place } from './decisions/place.js';
import { endProcess, freePort, startProcess } from './decisions/processes.js';
import { processorTime } from './decisions/processor.js';

const goal = { perSecond: 100, rate: 50, p99Ms: 1000 };
const [seconds = 20] = process.argv.slice(2).map(Number);

/** Processor time per decision, in milliseconds. */
interface Effort {
  readonly api: number;
  readonly workers: number;
  readonly database: number;
}

interface Measured {
  readonly throughput: Throughput;
  readonly throughputEffort: Effort;
  readonly calm: Latencies;
  readonly calmEffort: Effort;
  readonly killed: Latencies;
}

type Pids = Readonly<Record<keyof Effort, () => readonly number[]>>;

/** What a phase of load cost, beside what it measured. */
const withEffort = async <Phase>(
  pids: Pids,
  countOf: (phase: Phase) => number,
  load: () => Promise<Phase>,
): Promise<[Phase, Effort]> => {
  const parts = ['api', 'workers', 'database'] as const;
  const before = parts.map((part) => processorTime(pids[part]()));
  const phase = await load();
  const [api = 0, workers = 0, database = 0] = parts.map(
    (part, index) => (processorTime(pids[part]()) - (before[index] ?? 0)) / countOf(phase),
  );
  return [phase, { api, workers, database }];
};

const measure = async (
  place: Place,
  { superuserUrl, pid }: EmbeddedPostgres,
  pool: Pool,
): Promise<Measured> => {
  const port = await freePort();
  const address = `http://127.0.0.1:${String(port)}`;
  const workers: ChildProcess[] = [];
  const addWorker = async (): Promise<void> => {
    workers.push(await startProcess('worker', place, 0, { WORKER_CONCURRENCY: '8' }));
  };
  const api = await startProcess('api', place, port);
  try {
    await Promise.all([addWorker(), addWorker()]);
    await promote(superuserUrl, place, 60_000);
    say('A version is in place; warming up');
    const pids: Pids = {
      api: () => [api.pid ?? 0],
      workers: () => workers.map((worker) => worker.pid ?? 0),
      database: () => [pid],
    };
    const [throughput, throughputEffort] = await withEffort(
      pids,
      ({ total }) => total,
      () => sustain(address, place, pool, { seconds, warmUpSeconds: 5, perCall: 100, backlog: 400 }),
    );
    say('Single requests at a fixed rate');
    const [calm, calmEffort] = await withEffort(
      pids,
      ({ sent }) => sent,
      () => openLoop(address, place, pool, { perSecond: goal.rate, seconds }),
    );
    say('The same, while a worker is killed');
    const killed = await openLoop(address, place, pool, {
      perSecond: goal.rate,
      seconds: seconds * 2,
      during: () => {
        workers.shift()?.kill('SIGKILL');
        // As a supervisor does.
        void sleep(1000).then(addWorker);
      },
    });
    return { throughput, throughputEffort, calm, calmEffort, killed };
  } finally {
    await Promise.all([...workers, api].map(endProcess));
  }
};

const say = (text: string): void => {
  process.stderr.write(`${text} …\n`);
};

interface Checked {
  readonly decisions: number;
  readonly unfinished: number;
  readonly incomplete: number;
  readonly unsealed: number;
  readonly restarted: number;
}

/** Every decision has its five finished steps, once each, and stands under a root of the trail. */
const check = async (pool: Pool): Promise<Checked> => {
  const { rows } = await pool.query<Checked>(`
    select count(*)::int as decisions,
           (count(*) filter (where state not in ('DONE', 'WAITING')))::int as unfinished,
           (count(*) filter (where steps is distinct from 5))::int as incomplete,
           (count(*) filter (where not sealed))::int as unsealed,
           (count(*) filter (where again))::int as restarted
      from (select d.state,
                   (select count(*)::int from agent_step s where s.decision_id = d.id and s.status = 'done'
                       and s.iteration = 0) as steps,
                   exists (select from decision_seal l where l.decision_id = d.id and l.run_hash = d.run_hash) as sealed,
                   exists (select from agent_step s where s.decision_id = d.id and s.attempt > 1) as again
              from decision d) as each`);
  const [row] = rows;
  if (!row) throw new Error('Nothing was decided');
  return row;
};

const print = (measured: Measured, checked: Checked): void => {
  const { throughput, calm, killed } = measured;
  const ms = (value: number): string => `${value.toFixed(0)} ms`.padStart(9);
  const line = (name: string, one: Latencies): string =>
    `${name.padEnd(44)}${ms(one.accepted)}${ms(one.p50)}${ms(one.p90)}${ms(one.p99)}${ms(one.max)}`;
  console.log(
    `\nSustained, calls of 100 requests: ${throughput.perSecond.toFixed(1)} decisions/s (${String(throughput.decisions)} in ${throughput.seconds.toFixed(1)} s)`,
  );
  console.log(
    `${'From planned arrival to decision'.padEnd(44)}${['accepted', 'p50', 'p90', 'p99', 'max'].map((name) => name.padStart(9)).join('')}`,
  );
  console.log(line(`${String(goal.rate)}/s, open loop, ${String(calm.sent)} requests`, calm));
  console.log(line(`${String(goal.rate)}/s, a worker killed, ${String(killed.sent)} requests`, killed));
  const effort = (name: string, { api, workers, database }: Effort): string =>
    `${name.padEnd(44)}${[api, workers, database, api + workers + database].map((value) => value.toFixed(2).padStart(9)).join('')}`;
  console.log(
    `${'Processor time per decision in ms'.padEnd(44)}${['api', 'workers', 'database', 'together'].map((name) => name.padStart(9)).join('')}`,
  );
  console.log(effort('sustained, in calls of 100', measured.throughputEffort));
  console.log(effort('single requests, open loop', measured.calmEffort));
  console.log(
    `${String(checked.decisions)} decisions: ${String(checked.unfinished)} unfinished, ${String(checked.incomplete)} with missing steps, ` +
      `${String(checked.unsealed)} not in the trail, ${String(checked.restarted)} resumed by another worker`,
  );
};

const home = await makeTemporaryHome('countersign-bench');
const server = await startPostgres({ home: home.path, stopOnExit: true, log: () => undefined });
const pool = new Pool({ connectionString: server.superuserUrl, max: 2 });
// `end` does not wait until its connections are closed, and the server then ends them for us.
pool.on('error', () => undefined);
try {
  await migrate(server.url, migrations);
  await migrateQueue(server.url);
  const place = await setUp(server.url, home.path);
  const measured = await measure(place, server, pool);
  const checked = await check(pool);
  print(measured, checked);
  const isGood =
    measured.throughput.perSecond >= goal.perSecond &&
    measured.calm.p99 <= goal.p99Ms &&
    measured.killed.p99 <= goal.p99Ms &&
    checked.unfinished + checked.incomplete + checked.unsealed === 0;
  process.exitCode = isGood ? 0 : 1;
  console.log(
    JSON.stringify({
      bench: 'decisions',
      cores: availableParallelism(),
      perSecond: Number(measured.throughput.perSecond.toFixed(1)),
      p99Ms: Math.round(measured.calm.p99),
      p99WhileKilledMs: Math.round(measured.killed.p99),
      processorMs: { sustained: measured.throughputEffort, single: measured.calmEffort },
      load: loadavg().map((value) => Number(value.toFixed(1))),
      ...checked,
      goal,
      isGood,
    }),
  );
} finally {
  await pool.end();
  await server.stop();
  await home.remove();
}
