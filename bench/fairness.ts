/**
 * A fairness report with bootstrap intervals over many rows and groups, beside fairlearn's MetricFrame over the same
 * rows in the same run. `--python PATH` names the Python that has fairlearn; by default that of `.venv`, then python3.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { countGroups, type FairnessReport, fairnessReport, randomStream } from '../src/analysis/index.js';
import { installationRoot } from '../src/kernel/root.js';

const { values: flags } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    groups: { type: 'string', default: '50' },
    replicates: { type: 'string', default: '2000' },
    'peer-replicates': { type: 'string', default: '3' },
    python: { type: 'string' },
  },
});
const size = { rows: Number(flags.rows), groups: Number(flags.groups), replicates: Number(flags.replicates) };
const peerReplicates = Math.min(size.replicates, Number(flags['peer-replicates']));
const goal = 20;
const rounds = 5;

interface Data {
  readonly codes: Int32Array;
  readonly selected: Uint8Array;
  readonly labels: Uint8Array;
}

/** Groups of unequal size and unequal rates, the same on every machine. */
const makeData = (): Data => {
  const { uniform } = randomStream(2026);
  const codes = Int32Array.from({ length: size.rows }, () => Math.floor(uniform() ** 1.5 * size.groups));
  const labels = Uint8Array.from(codes, (code) => (uniform() < 0.2 + (0.2 * (code % 7)) / 7 ? 1 : 0));
  const selected = Uint8Array.from(codes, (code, row) => {
    const chance = labels[row] === 1 ? 0.7 - (0.15 * (code % 5)) / 5 : 0.15 + (0.1 * (code % 3)) / 3;
    return uniform() < chance ? 1 : 0;
  });
  return { codes, selected, labels };
};

/** On a machine that does other things too, time on the processor says more than time on the wall. */
interface Seconds {
  readonly wall: number;
  readonly cpu: number;
}

const timed = <Result>(work: () => Result): { readonly seconds: Seconds; readonly result: Result } => {
  const [started, before] = [performance.now(), process.cpuUsage()];
  const result = work();
  const { user, system } = process.cpuUsage(before);
  return { seconds: { wall: (performance.now() - started) / 1000, cpu: (user + system) / 1e6 }, result };
};

const once = ({ codes, selected, labels }: Data): FairnessReport => {
  const groups = Array.from({ length: size.groups }, (_, code) => String(code));
  const counted = countGroups(
    { attribute: 'group', groups, codes },
    { selected, labels, probabilities: null },
  );
  return fairnessReport(counted, { replicates: size.replicates, seed: 1 });
};

interface Peer {
  readonly version: string;
  readonly plain: Seconds;
  readonly bootstrap: Seconds;
  readonly replicates: number;
  readonly difference: Readonly<Record<string, number>>;
  readonly ratio: Readonly<Record<string, number>>;
  readonly differenceInterval: readonly Readonly<Record<string, number>>[];
}

const findPython = (): string | null => {
  const candidates =
    flags.python === undefined
      ? [join(installationRoot, '.venv', 'bin', 'python3'), 'python3']
      : [flags.python];
  const works = (candidate: string): boolean =>
    (!candidate.includes('/') || existsSync(candidate)) &&
    spawnSync(candidate, ['-c', 'import fairlearn']).status === 0;
  return candidates.find(works) ?? null;
};

const askPeer = async (python: string, { codes, selected, labels }: Data): Promise<Peer> => {
  const folder = await mkdtemp(join(tmpdir(), 'countersign-bench-fairness-'));
  try {
    writeFileSync(join(folder, 'codes.bin'), codes);
    writeFileSync(join(folder, 'selected.bin'), selected);
    writeFileSync(join(folder, 'labels.bin'), labels);
    const script = join(installationRoot, 'bench', 'fairness', 'peer.py');
    const { status, stdout, stderr } = spawnSync(python, [script, folder, String(peerReplicates), '1'], {
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`fairlearn failed: ${stderr.slice(-1000)}`);
    return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Peer;
  } finally {
    await rm(folder, { recursive: true });
  }
};

/** Largest distance of a difference or ratio from fairlearn's: a fast wrong number would be worth nothing. */
const disagreement = ({ disparities }: FairnessReport, peer: Peer): number => {
  const gaps = disparities.flatMap(({ metric, difference, ratio }) => {
    const [there, ratioThere] = [peer.difference[metric], peer.ratio[metric]];
    if (there === undefined || ratioThere === undefined) return [];
    return [Math.abs((difference.value ?? NaN) - there), Math.abs((ratio.value ?? NaN) - ratioThere)];
  });
  return Math.max(...gaps);
};

const line = (name: string, { wall, cpu }: Seconds, note: string): void => {
  const [onWall, onCpu] = [wall, cpu].map((seconds) => seconds.toFixed(3).padStart(12));
  console.log(`${name.padEnd(50)}${onWall ?? ''}${onCpu ?? ''}   ${note}`);
};

const data = makeData();
once(data);
const measured = Array.from({ length: rounds }, () => timed(() => once(data)));
measured.sort((a, b) => a.seconds.wall - b.seconds.wall);
const middle = measured[Math.floor(rounds / 2)];
if (middle === undefined) throw new Error('No round was measured');
const { seconds, result: report } = middle;
console.log(
  `${size.rows.toLocaleString('en-US')} rows, ${String(size.groups)} groups, ${size.replicates.toLocaleString('en-US')} replicates; one thread each\n`,
);
console.log(`${''.padEnd(50)}${'wall s'.padStart(12)}${'processor s'.padStart(12)}`);
line('Countersign: report of 7 shares', seconds, `measured, median of ${String(rounds)}`);

const python = findPython();
if (python === null) {
  console.log(
    'fairlearn: no Python here can import it (--python PATH, or pip install -r .ci/requirements.txt)',
  );
  console.log(
    `\n${JSON.stringify({ bench: 'fairness', size, seconds, fairlearn: null, goal, reached: null })}`,
  );
  process.exitCode = 1;
} else {
  const peer = await askPeer(python, data);
  const perReplicate = (of: keyof Seconds): number => (peer.bootstrap[of] - peer.plain[of]) / peer.replicates;
  const scale = (of: keyof Seconds): number => peer.plain[of] + perReplicate(of) * size.replicates;
  const scaled = { wall: scale('wall'), cpu: scale('cpu') };
  const gap = disagreement(report, peer);
  const name = `fairlearn ${peer.version}: MetricFrame of 5 shares`;
  line(`${name}, no bootstrap`, peer.plain, 'measured');
  line(`  with ${String(peer.replicates)} replicates`, peer.bootstrap, 'measured');
  const isScaled = peer.replicates < size.replicates;
  const how = isScaled
    ? `scaled: ${perReplicate('cpu').toFixed(2)} s of the processor a replicate`
    : 'measured';
  line(`  with ${String(size.replicates)} replicates`, scaled, how);
  // The smaller of the two ratios counts.
  const ratio = Math.min(scaled.wall / seconds.wall, scaled.cpu / seconds.cpu);
  const reached = ratio >= goal && gap < 1e-9;
  console.log(
    `\n${ratio.toFixed(0)} times as fast; goal ${String(goal)}; largest disagreement of a difference or ratio ${gap.toExponential(1)}`,
  );
  const fairlearn = { ...peer, scaled, isScaled };
  console.log(
    `\n${JSON.stringify({ bench: 'fairness', size, seconds, fairlearn, ratio, disagreement: gap, goal, reached })}`,
  );
  process.exitCode = reached ? 0 : 1;
}
