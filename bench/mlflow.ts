/**
 * The MLflow protocol beside a real `mlflow server`: requests as the official client sends them, replayed by one load
 * generator under sixteen connections; both servers on this machine, in this run, on one PostgreSQL; rounds are
 * interleaved. Ours checks who asks, writes its trail and examines what is registered meanwhile.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { availableParallelism } from 'node:os';
import { makeTemporaryHome, startPostgres } from '../src/embedded/postgres/index.js';
import { migrate } from '../src/kernel/db.js';
import { installationRoot } from '../src/kernel/root.js';
import { migrateQueue } from '../src/worker/migrate-queue.js';
import { migrations } from '../migrations/index.js';
import { sustain, transfer, type Throughput } from './mlflow/load.js';
import { operationsOf, prepare, type Ready } from './mlflow/operations.js';
import { findPython, startOurs, startTheirs, type Side } from './mlflow/servers.js';

const [seconds = 4, rounds = 3] = process.argv.slice(2).map(Number);
const transferGoal = 0.9;

interface Line {
  readonly name: string;
  readonly goal: number;
  readonly unit: string;
  readonly ours: number;
  readonly theirs: number;
  /** Processor time of the server for one, in milliseconds: ours, theirs. */
  readonly processor: readonly [number, number];
  readonly note: string;
}

const say = (text: string): void => {
  process.stderr.write(`${text} …\n`);
};

const medianOf = (all: readonly number[]): number =>
  all.toSorted((one, other) => one - other)[Math.floor(all.length / 2)] ?? NaN;

const processorOf = (
  measured: readonly [readonly { processor: number }[], readonly { processor: number }[]],
): [number, number] => [
  medianOf(measured[0].map(({ processor }) => processor)),
  medianOf(measured[1].map(({ processor }) => processor)),
];

const throughputLines = async (
  sides: readonly [Side, Side],
  ready: readonly [Ready, Ready],
): Promise<Line[]> => {
  const lines: Line[] = [];
  const [ours, theirs] = [operationsOf(ready[0], 'bench'), operationsOf(ready[1], 'bench')];
  for (const [index, operation] of ours.entries()) {
    const other = theirs[index];
    if (!other) continue;
    const measured: [Throughput[], Throughput[]] = [[], []];
    for (let round = 0; round <= rounds; round += 1) {
      // The first round warms up and does not count.
      const duration = round === 0 ? 1 : seconds;
      const first = await sustain(sides[0], operation, round * 1_000_000, duration);
      const second = await sustain(sides[1], other, round * 1_000_000, duration);
      if (round > 0) measured.forEach((all, side) => all.push(side === 0 ? first : second));
    }
    const [mine, yours] = measured.map((all) => medianOf(all.map(({ perSecond }) => perSecond)));
    const latency = measured.map((all) => medianOf(all.map(({ p99 }) => p99)).toFixed(0));
    say(`${operation.name} is measured`);
    lines.push({
      name: operation.name,
      goal: operation.goal,
      unit: '/s',
      ours: mine ?? NaN,
      theirs: yours ?? NaN,
      processor: processorOf(measured),
      note: `p99 ${latency.join(', ')} ms`,
    });
  }
  return lines;
};

const transferLines = async (
  sides: readonly [Side, Side],
  ready: readonly [Ready, Ready],
): Promise<Line[]> => {
  const up: [number[], number[]] = [[], []];
  const down: [number[], number[]] = [[], []];
  const processor: [{ processor: number }[], { processor: number }[]] = [[], []];
  for (let round = 0; round <= rounds; round += 1) {
    for (const index of [0, 1] as const) {
      const measured = await transfer(sides[index], ready[index], `file-${String(round)}`);
      if (round === 0) continue;
      up[index].push(measured.up);
      down[index].push(measured.down);
      processor[index].push(measured);
    }
  }
  const line = (name: string, all: readonly [number[], number[]]): Line => ({
    name,
    goal: transferGoal,
    unit: 'MB/s',
    ours: medianOf(all[0]),
    theirs: medianOf(all[1]),
    processor: processorOf(processor),
    note: 'processor: both ways',
  });
  return [line('upload 100 MB', up), line('download 100 MB', down)];
};

const clientLatency = (python: string, side: Side, { runId }: Ready): Record<string, number> => {
  const script = join(installationRoot, 'bench', 'mlflow', 'client.py');
  const { status, stdout } = spawnSync(python, [script, runId, side.name], {
    env: {
      PATH: '/usr/bin:/bin',
      HOME: '/tmp',
      MLFLOW_TRACKING_URI: side.uri,
      MLFLOW_DISABLE_TELEMETRY: 'true',
      ...side.environment,
    },
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`The client against ${side.name} ended with ${String(status)}`);
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}') as Record<string, number>;
};

const print = (lines: readonly Line[], client: readonly Record<string, number>[]): void => {
  console.log(
    '\n| Operation | Countersign | MLflow | ratio | goal | processor | |\n| --- | --: | --: | --: | --: | --: | --- |',
  );
  for (const { name, unit, ours, theirs, goal, note, processor } of lines) {
    const cost = processor.map((ms) => ms.toFixed(1)).join(', ');
    console.log(
      `| ${name} | ${ours.toFixed(1)} ${unit} | ${theirs.toFixed(1)} ${unit} | ${(ours / theirs).toFixed(2)} | ≥ ${String(goal)} | ${cost} ms | ${note} |`,
    );
  }
  console.log('\n| The client itself, median | Countersign | MLflow |\n| --- | --: | --: |');
  const [mine = {}, yours = {}] = client;
  for (const [name, took] of Object.entries(mine)) {
    console.log(`| ${name} | ${took.toFixed(1)} ms | ${(yours[name] ?? NaN).toFixed(1)} ms |`);
  }
};

const rounded = (value: number): number => Number(value.toFixed(2));

const python = findPython();
const home = await makeTemporaryHome('countersign-bench');
const server = await startPostgres({ home: home.path, stopOnExit: true, log: () => undefined });
const running: Side[] = [];
try {
  await migrate(server.url, migrations);
  await migrateQueue(server.url);
  const ourSuperuser = new URL(server.superuserUrl);
  ourSuperuser.pathname = new URL(server.url).pathname;
  say('Starting both servers with 10,000 versions each');
  const ours = await startOurs({ url: server.url, superuserUrl: ourSuperuser.href }, home.path);
  running.push(ours);
  const theirs = await startTheirs(python, server.superuserUrl, join(home.path, 'mlflow-artifacts'));
  running.push(theirs);
  const sides = [ours, theirs] as const;
  const ready = [await prepare(ours), await prepare(theirs)] as const;
  const transfers = await transferLines(sides, ready);
  const lines = [...(await throughputLines(sides, ready)), ...transfers];
  const client = [clientLatency(python, ours, ready[0]), clientLatency(python, theirs, ready[1])];
  print(lines, client);
  const isGood = lines.every(({ ours: mine, theirs: yours, goal }) => mine / yours >= goal);
  process.exitCode = isGood ? 0 : 1;
  const ratios = Object.fromEntries(
    lines.map(({ name, ours: mine, theirs: yours }) => [name, rounded(mine / yours)]),
  );
  const processor = Object.fromEntries(
    lines.map((line) => [line.name, rounded(line.processor[1] / line.processor[0])]),
  );
  const result = {
    bench: 'mlflow',
    cores: availableParallelism(),
    connections: 16,
    ratios,
    processor,
    isGood,
  };
  console.log(JSON.stringify(result));
} finally {
  for (const side of running) await side.stop();
  await server.stop();
  await home.remove();
}
