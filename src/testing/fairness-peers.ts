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

/** What the rows of a request are, as `fairness-peers.py` reads them. */
export type PeerRequest = Readonly<Record<string, unknown>>;

/** The numbers of the reference libraries, by the names that `fairness-peers.py` gives them. */
export const askPeers = <Answer>(python: string, request: PeerRequest): Answer => {
  const script = join(installationRoot, 'src', 'testing', 'fairness-peers.py');
  const { status, stdout, stderr } = spawnSync(python, [script], {
    input: JSON.stringify(request),
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  if (status !== 0) throw new Error(`The reference libraries failed: ${stderr.slice(-1000)}`);
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Answer;
};
