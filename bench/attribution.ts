/**
 * Shapley values of trees, beside the C code of the shap package, on UCI Adult: boosted trees of depth 6 and 8 and a
 * random forest of depth 10, 100 trees each, against 100 background rows; and exact attribution in probability.
 *
 * The peer needs a Python with shap, scikit-learn, skl2onnx and pandas (.ci/requirements.txt): `--python PATH`, or
 * .venv/bin/python3, or python3 on the PATH. Without one nothing is compared, and the last line says so.
 */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { findPeer, preparePeer, timePeer, type Prepared } from './attribution/peer.js';
import { exactRates, type ExactRate } from './attribution/exact.js';
import { measureTables, type TableRate } from './attribution/tables.js';

const { values: flags } = parseArgs({
  options: {
    python: { type: 'string' },
    rows: { type: 'string', default: '40000' },
    small: { type: 'boolean', default: false },
  },
});

const goals = {
  times: { 'gbdt-6': 50, 'gbdt-8': 30, 'forest-10': 40 },
  threads: 1.7,
  exact: { 'gbdt-6': 1000, reference: 500 },
} as const;
type ModelName = keyof typeof goals.times;
const models = Object.keys(goals.times) as ModelName[];
const kinds = ['interventional', 'path-dependent'] as const;

/** The peer explains fewer rows: its time is proportional to them. */
const peerRows = { 'gbdt-6': 1000, 'gbdt-8': 300, 'forest-10': 100 };

interface Line {
  readonly model: ModelName;
  readonly kind: (typeof kinds)[number];
  readonly ours: TableRate;
  readonly peerRowsPerSecond: number | null;
  readonly times: number | null;
  /** The same in time of the processor, which other work on the machine changes less. */
  readonly processorTimes: number | null;
}

const show = ({ model, kind, ours, peerRowsPerSecond, times, processorTimes }: Line): void => {
  const cells = [
    ours.rowsPerSecond.toFixed(0),
    ours.twoThreads.toFixed(0),
    (ours.twoThreads / ours.rowsPerSecond).toFixed(2),
    peerRowsPerSecond?.toFixed(0) ?? '–',
    times?.toFixed(0) ?? '–',
    processorTimes?.toFixed(0) ?? '–',
    ours.greatestGap?.toExponential(1) ?? '–',
  ];
  console.log(`${model.padEnd(12)}${kind.padEnd(16)}${cells.map((cell) => cell.padStart(13)).join('')}`);
};

const compare = async (python: string, out: string, about: Prepared, rows: number): Promise<Line[]> => {
  const lines: Line[] = [];
  for (const model of models) {
    for (const kind of kinds) {
      const some = flags.small ? 50 : peerRows[model];
      // Turn and turn about, so that what else the machine does falls on both.
      const first = timePeer(python, out, model, kind, some);
      const ours = await measureTables(out, about, { model, kind, rows });
      const second = timePeer(python, out, model, kind, some);
      const peerRowsPerSecond = some / Math.min(first.seconds, second.seconds);
      const processorRate = some / Math.min(first.processor, second.processor);
      const line = {
        model,
        kind,
        ours,
        peerRowsPerSecond,
        times: ours.rowsPerSecond / peerRowsPerSecond,
        processorTimes: ours.processorRate / processorRate,
      };
      show(line);
      lines.push(line);
    }
  }
  return lines;
};

const reachedBy = (lines: readonly Line[], exact: readonly ExactRate[]): boolean =>
  lines.length === models.length * kinds.length &&
  lines.every(({ model, times }) => times !== null && times >= goals.times[model]) &&
  lines.every(({ ours }) => ours.twoThreads / ours.rowsPerSecond >= goals.threads) &&
  exact.every(({ name, rowsPerSecond }) => rowsPerSecond >= goals.exact[name]);

const out = await mkdtemp(join(tmpdir(), 'countersign-attribution-'));
try {
  const peer = findPeer(flags.python);
  if ('missing' in peer) {
    console.log(`No peer: ${peer.missing}`);
    console.log(JSON.stringify({ bench: 'attribution', peer: null, missing: peer.missing, reached: false }));
    process.exitCode = 1;
  } else {
    preparePeer(peer.python, out);
    const about = JSON.parse(readFileSync(join(out, 'about.json'), 'utf8')) as Prepared;
    const rows = flags.small ? 2000 : Number(flags.rows);
    for (const [name, { trees, leaves }] of Object.entries(about.models))
      console.log(`${name}: ${String(trees)} trees, ${String(leaves)} leaves`);
    console.log(`${String(about.inputs.length)} inputs, ${String(rows)} rows; shap ${peer.version}\n`);
    const heads = ['rows/s', '2 threads', 'ratio', 'shap rows/s', 'times', 'by processor', 'gap to shap'];
    console.log(`${''.padEnd(28)}${heads.map((head) => head.padStart(13)).join('')}`);
    const lines = await compare(peer.python, out, about, rows);
    const exact = await exactRates(out, about, flags.small ? 40 : 1000);
    console.log('');
    for (const { name, rowsPerSecond } of exact)
      console.log(
        `exact in probability, two cores, ${name.padEnd(12)}${rowsPerSecond.toFixed(0).padStart(8)} rows/s`,
      );
    const reached = reachedBy(lines, exact);
    console.log(
      `\n${JSON.stringify({ bench: 'attribution', rows, background: about.background, models: about.models, peer: `shap ${peer.version}`, lines, exact, goals, reached })}`,
    );
    process.exitCode = reached ? 0 : 1;
  }
} finally {
  await rm(out, { recursive: true });
}
