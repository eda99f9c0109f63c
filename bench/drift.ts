/**
 * Drift of 200 columns over a million rows of a Parquet file, held against a baseline of 200,000 rows: our frozen bins
 * in one process, Evidently's preset in another, on the same files in the same run. `DRIFT_BENCH_PYTHON` names the
 * Python that can import evidently, pandas and pyarrow; without it `python3` is taken from the path.
 */
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DuckDBInstance } from '@duckdb/node-api';
import { z } from 'zod';
import { installationRoot } from '../src/kernel/root.js';

const goal = { times: 5, megabytes: 500 };
const [rows = 1_000_000, features = 200, referenceRows = 200_000] = process.argv.slice(2).map(Number);
// eslint-disable-next-line no-restricted-properties -- a benchmark is no part of the product and has no config
const python = process.env['DRIFT_BENCH_PYTHON'] ?? 'python3';

const say = (text: string): void => {
  process.stderr.write(`${text} …\n`);
};

/** A tenth of the columns are names; a quarter of all moves in the second file. */
const columnOf = (place: number, moves: boolean): string => {
  const shift = moves && place % 4 === 0 ? 1 : 0;
  // 53 bits of a hash: cheap, and the same on every machine.
  const uniform = `((hash(range, ${String(place * 7 + shift)}) >> 11)::double * 1.1102230246251565e-16)`;
  if (place % 10 === 9) {
    const power = moves && place % 4 === 1 ? 2 : 1;
    return `'group ' || floor(12 * power(${uniform}, ${String(power)}))::integer as c${String(place)}`;
  }
  if (place % 3 === 0) return `-ln(${uniform} + 1e-12) * ${String(1 + 0.5 * shift)} as c${String(place)}`;
  return `${uniform} * ${String(1 + (place % 5))} + ${String(0.4 * shift)} as c${String(place)}`;
};

const write = async (path: string, count: number, moves: boolean): Promise<void> => {
  const instance = await DuckDBInstance.create(':memory:', { threads: '2', memory_limit: '2GB' });
  const connection = await instance.connect();
  const columns = Array.from({ length: features }, (_, place) => columnOf(place, moves)).join(', ');
  await connection.run(`copy (select ${columns} from range(${String(count)})) to '${path}' (format parquet)`);
  connection.closeSync();
  instance.closeSync();
};

const oursSays = z.object({
  freezeSeconds: z.number(),
  driftSeconds: z.number(),
  processorSeconds: z.number(),
  freezeProcessorSeconds: z.number(),
  peakMegabytes: z.number(),
  drifted: z.number(),
  rows: z.number(),
});
const theirsSays = z.object({
  version: z.string(),
  loadSeconds: z.number(),
  driftSeconds: z.number(),
  processorSeconds: z.number(),
  peakMegabytes: z.number(),
  drifted: z.number().nullable(),
});

const run = (program: string, args: readonly string[]): string => {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 50_000_000 });
  if (status !== 0) throw new Error(`${program} failed: ${stderr.slice(-2000)}`);
  return stdout.trim().split('\n').at(-1) ?? '';
};

const canImport = (): boolean =>
  spawnSync(python, ['-c', 'import evidently, pandas, pyarrow'], { encoding: 'utf8' }).status === 0;

const fixed = (value: number, digits = 1): string => value.toFixed(digits);

const report = (ours: z.output<typeof oursSays>, theirs: z.output<typeof theirsSays> | null): boolean => {
  const whole = ours.freezeSeconds + ours.driftSeconds;
  console.log(`\n${'Countersign'.padEnd(34)}${fixed(ours.driftSeconds)} s on the frozen baseline`);
  console.log(`${'  freezing it, once'.padEnd(34)}${fixed(ours.freezeSeconds)} s`);
  console.log(
    `${'  processor time'.padEnd(34)}${fixed(ours.processorSeconds)} s, and ${fixed(ours.freezeProcessorSeconds)} s to freeze`,
  );
  console.log(`${'  peak memory'.padEnd(34)}${fixed(ours.peakMegabytes, 0)} MB`);
  console.log(`${'  columns beyond 0.1'.padEnd(34)}${String(ours.drifted)}`);
  const isSmall = ours.peakMegabytes < goal.megabytes;
  console.log(`Memory below ${String(goal.megabytes)} MB: ${isSmall ? 'yes' : 'NO'}`);
  if (!theirs) {
    console.log(`Evidently: not compared, because ${python} cannot import evidently, pandas and pyarrow.`);
    console.log('Set DRIFT_BENCH_PYTHON to one that can (pip install -r .ci/requirements-drift.txt).');
    return isSmall;
  }
  const total = theirs.loadSeconds + theirs.driftSeconds;
  console.log(
    `\n${`Evidently ${theirs.version}`.padEnd(34)}${fixed(theirs.driftSeconds)} s, and ${fixed(theirs.loadSeconds)} s to load`,
  );
  console.log(`${'  processor time'.padEnd(34)}${fixed(theirs.processorSeconds)} s, loading included`);
  console.log(`${'  peak memory'.padEnd(34)}${fixed(theirs.peakMegabytes, 0)} MB`);
  console.log(`${'  columns it calls drifted'.padEnd(34)}${String(theirs.drifted)}`);
  const [times, withFreezing] = [total / ours.driftSeconds, total / whole];
  console.log(
    `\nFaster by ${fixed(times)} times (goal ${String(goal.times)}); ${fixed(withFreezing)} with freezing included.`,
  );
  console.log(`Without Evidently's loading: ${fixed(theirs.driftSeconds / ours.driftSeconds)} times.`);
  console.log(
    `By processor time, which a busy machine does not distort: ${fixed(theirs.processorSeconds / ours.processorSeconds)} times.`,
  );
  return isSmall && times >= goal.times;
};

const folder = await mkdtemp(join(tmpdir(), 'countersign-bench-drift-'));
try {
  const [reference, current] = [join(folder, 'reference.parquet'), join(folder, 'current.parquet')];
  say(`Writing ${String(referenceRows)} and ${String(rows)} rows of ${String(features)} columns`);
  await write(reference, referenceRows, false);
  await write(current, rows, true);
  const { size } = await stat(current);
  console.log(
    `${String(rows)} rows, ${String(features)} columns, ${fixed(size / 1_048_576, 0)} MiB of Parquet; Node ${process.version}, ${String(availableParallelism())} threads, load ${fixed(loadavg()[0] ?? 0, 2)}`,
  );
  say('Countersign');
  const own = fileURLToPath(new URL('drift/ours.js', import.meta.url));
  const ours = oursSays.parse(JSON.parse(run(process.execPath, [own, reference, current])));
  let theirs: z.output<typeof theirsSays> | null = null;
  say(`Done in ${fixed(ours.freezeSeconds + ours.driftSeconds)} s`);
  if (canImport()) {
    say('Evidently');
    const script = join(installationRoot, 'bench', 'drift', 'peer.py');
    theirs = theirsSays.parse(JSON.parse(run(python, [script, reference, current])));
  }
  if (!report(ours, theirs)) process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}
