import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { installationRoot } from '../kernel/root.js';

const candidates = [join(installationRoot, '.venv', 'bin', 'python3'), 'python3'];
// Importing aequitas imports what it draws with, so it is only looked for.
const present =
  "import sys, importlib.util, fairlearn, aif360, scipy; assert importlib.util.find_spec('aequitas'); print(sys.executable)";

/** A Python that has the libraries of fairness, or why there is none. */
export const pythonWithFairness = (): { readonly python: string } | { readonly missing: string } => {
  const [found] = candidates
    .filter((candidate) => !candidate.includes('/') || existsSync(candidate))
    .map((candidate) => spawnSync(candidate, ['-c', present], { encoding: 'utf8' }))
    .filter(({ status }) => status === 0)
    .map(({ stdout }) => stdout.trim().split('\n').at(-1) ?? '');
  return found === undefined
    ? {
        missing:
          'no Python here can import fairlearn, aif360, aequitas and scipy (pip install -r .ci/requirements.txt, and aequitas without what it needs to draw)',
      }
    : { python: found };
};

type Numbers = Readonly<Record<string, number | null>>;
type Table = Readonly<Record<string, Numbers>>;
type Spread = Readonly<Record<'groups', Table>> &
  Readonly<Record<'overall' | 'difference' | 'ratio' | 'differenceToOverall' | 'ratioToOverall', Numbers>>;

/** The numbers of the reference libraries, by the names that `fairness-peers.py` gives them. */
export interface Peers {
  readonly fairlearn: {
    readonly race: Spread;
    readonly both: Spread;
    readonly odds: Numbers;
    readonly parity: number;
    readonly weightedSelection: Numbers;
    readonly weightedTruePositiveRate: Numbers;
    readonly withinRace: Table;
    readonly noPositives: number;
  };
  readonly aif360: {
    readonly pair: Numbers;
    readonly rates: Readonly<Record<string, readonly [difference: number, ratio: number]>>;
    readonly entropy: Numbers;
    readonly entropyZero: number;
    readonly between: number;
    readonly variation: number;
    readonly consistency: number;
    readonly differential: number;
    readonly reweighing: Numbers;
  };
  readonly aequitas: Readonly<
    Record<string, Readonly<Record<string, readonly [value: number, disparity: number]>>>
  >;
  readonly scipy: {
    readonly tables: readonly {
      readonly wilson: readonly [number, number];
      readonly fisher: number;
      readonly chi2: readonly [number, number];
      readonly katz: readonly number[];
    }[];
    readonly ks: number;
    readonly wasserstein: number;
    readonly kolmogorov: Numbers;
    readonly bh: readonly number[];
  };
  readonly mitigation: Numbers;
  readonly scores: {
    readonly auc: number;
    readonly brier: number;
    readonly slope: number;
    readonly intercept: number;
    readonly isotonic: readonly number[];
  };
}

/** What the rows of a request are, as `fairness-peers.py` reads them. */
export type PeerRequest = Readonly<Record<string, unknown>>;

/** Asks the reference libraries for their numbers. */
export const askPeers = (python: string, request: PeerRequest): Peers => {
  const script = join(installationRoot, 'src', 'testing', 'fairness-peers.py');
  const { status, stdout, stderr } = spawnSync(python, [script], {
    input: JSON.stringify(request),
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  if (status !== 0) throw new Error(`The reference libraries failed: ${stderr.slice(-1000)}`);
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Peers;
};
