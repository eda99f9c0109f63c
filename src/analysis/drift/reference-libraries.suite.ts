import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

import { chiSquareQuantile } from '../statistics/distributions.js';
import { randomStream } from '../statistics/random.js';
import { adwin } from './adwin.js';
import { expectedPerformance } from './cbpe.js';
import { numericCounter } from './counts.js';
import { chiSquareTwoSamples, hellinger, jensenShannon, populationStability } from './distances.js';
import { calibrate, isotonicMap } from './isotonic.js';
import { asymptoticPValue, kolmogorovSmirnov } from './kolmogorov.js';
import { ddm, pageHinkley } from './sequential.js';
import { wasserstein } from './wasserstein.js';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
// Evidently and NannyML need an older pandas than the other parts, so they have a place of their own.
const candidates = [here('../../../.venv-drift/bin/python3'), here('../../../.venv/bin/python3'), 'python3'];

const pythonWith = (modules: string): string | undefined =>
  candidates
    .filter((candidate) => !candidate.includes('/') || existsSync(candidate))
    .find((candidate) => spawnSync(candidate, ['-c', `import ${modules}`]).status === 0);

const modules = {
  scipy: 'scipy',
  river: 'river',
  sklearn: 'sklearn',
  evidently: 'evidently',
  nannyml: 'nannyml',
} as const;
const pythons = Object.fromEntries(
  Object.entries(modules).map(([part, module]) => [part, pythonWith(module)]),
);

/** The part, or what is missing to compare with it. */
const titled = (part: keyof Says): string =>
  pythons[part] === undefined
    ? `${part} (skipped: no Python here can import ${part}; see .ci/requirements.txt and .ci/requirements-drift.txt)`
    : part;

interface Says {
  readonly scipy: {
    readonly ksExact: readonly [number, number];
    readonly ks: readonly [number, number];
    readonly wasserstein: number;
    readonly jensenShannon: readonly [number, number];
    readonly chiSquare: readonly [number, number];
    readonly chiSquareQuantile: number;
  };
  readonly evidently: Readonly<Record<'wasserstein' | 'psi' | 'jensenshannon' | 'hellinger', number>> & {
    readonly edges: readonly number[];
    readonly deviation: number;
  };
  readonly river: {
    readonly adwin: readonly number[];
    readonly window: readonly [number, number, number];
    readonly pageHinkley: readonly number[];
    readonly ddm: readonly number[];
    readonly ddmWarnings: readonly number[];
  };
  readonly sklearn: {
    readonly calibrated: readonly number[];
    readonly cells: readonly number[];
    readonly f1: number;
  };
  readonly nannyml: Readonly<
    Record<'jensenShannon' | 'accuracy' | 'precision' | 'recall' | 'f1' | 'rocAuc', number>
  >;
}

const { uniform, normal } = randomStream(2026);
const many = (n: number, draw: () => number): number[] => Array.from({ length: n }, draw);
const bernoulli = (p: number): number => (uniform() < p ? 1 : 0);
const newScores = many(3000, uniform);
const scores = many(4000, () => Math.round(uniform() * 200) / 200);
const letters = ['a', 'b', 'c', 'd'];
const lettersOf = (power: number): string[] =>
  many(900, uniform).map((u) => letters[Math.floor(4 * u ** power)] ?? 'a');

const samples = {
  reference: many(20_000, uniform),
  current: many(10_000, () => uniform() ** 0.8),
  small: [many(40, normal), many(30, () => normal() + 0.4)] as const,
  counts: [
    [120, 340, 260, 90, 30],
    [100, 310, 300, 120, 70],
  ] as const,
  stream: [...many(1500, () => bernoulli(0.2)), ...many(1500, () => bernoulli(0.5)), ...many(1500, normal)],
  errors: [...many(800, () => bernoulli(0.1)), ...many(800, () => bernoulli(0.5))],
  scores,
  labels: scores.map((score) => bernoulli(score ** 2)),
  newScores,
  names: [lettersOf(1), lettersOf(1.4)] as const,
};

const ask = <Part extends keyof Says>(part: Part): Says[Part] => {
  const { stdout, stderr, status } = spawnSync(pythons[part] ?? '', [here('./reference-libraries.py')], {
    input: JSON.stringify({ ...samples, part }),
    encoding: 'utf8',
    maxBuffer: 100_000_000,
  });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as Says[Part];
};

const near = (actual: number | null, wanted: number, relative = 1e-10): void => {
  expect(Math.abs((actual ?? Number.NaN) - wanted)).toBeLessThanOrEqual(
    relative * Math.max(1e-12, Math.abs(wanted)),
  );
};

const [before, now] = samples.counts;
const [reference, current] = [Float64Array.from(samples.reference), Float64Array.from(samples.current)];

describe('drift beside other libraries', () => {
  test.skipIf(pythons['scipy'] === undefined)(
    `${titled('scipy')}: statistics, p-values and distances`,
    () => {
      const says = ask('scipy');
      const exact = kolmogorovSmirnov(
        ...(samples.small.map((values) => Float64Array.from(values)) as [Float64Array, Float64Array]),
      );
      if (exact.value === null) throw new Error('No statistic');
      near(exact.value, says.ksExact[0]);
      near(exact.pValue, says.ksExact[1]);
      const large = kolmogorovSmirnov(reference, current);
      near(large.value, says.ks[0]);
      // Its asymptotic p-value has no small-sample term; ours (Stephens) is at most a little smaller.
      near(asymptoticPValue(0.012, 20_000, 10_000), 0.288, 0.02);
      near(wasserstein(reference, current).value, says.wasserstein);
      near(jensenShannon(before, now).value, says.jensenShannon[0]);
      near(jensenShannon(before, now, '2').value, says.jensenShannon[1]);
      const table = chiSquareTwoSamples(before, now, true);
      if (table.method === null) throw new Error('No test');
      near(table.statistic, says.chiSquare[0]);
      near(table.pValue, says.chiSquare[1]);
      near(chiSquareQuantile(0.95, 9), says.chiSquareQuantile);
    },
  );

  test.skipIf(pythons['evidently'] === undefined)(
    `${titled('evidently')}: its distances on its own edges`,
    () => {
      const says = ask('evidently');
      const bins = { kind: 'NUMERIC', edges: says.edges.slice(1, -1) } as const;
      const [one, other] = [reference, current].map((values) => {
        const counter = numericCounter(bins);
        counter.add(values);
        return counter.counts().bins;
      });
      if (!one || !other) throw new Error('No counts');
      near(jensenShannon(one, other).value, says.jensenshannon);
      near(hellinger(one, other).value, says.hellinger);
      // It gives the distance in standard deviations of the reference.
      near((wasserstein(reference, current).value ?? Number.NaN) / says.deviation, says.wasserstein, 1e-4);
      // Ours adds half a row to each bin, its own nothing where no bin is empty.
      near(populationStability(one, other).value, says.psi, 0.02);
    },
  );

  test.skipIf(pythons['river'] === undefined)(
    `${titled('river')}: ADWIN, Page-Hinkley and DDM raise their alarms at the same values`,
    () => {
      const says = ask('river');
      const alarms = (update: (value: number) => boolean): number[] =>
        samples.stream.flatMap((value, row) => (update(value) ? [row] : []));
      // It forgets its whole window at an alarm; ours, as in the paper, only what came before the cut.
      let detector = adwin();
      const found = samples.stream.flatMap((value, row) => {
        if (!detector.update(value)) return [];
        if (row < samples.stream.length - 1) detector = adwin();
        return [row];
      });
      expect(found).toEqual(says.adwin);
      expect(says.adwin.length).toBeGreaterThan(1);
      const { n, mean, variance } = detector.window();
      expect(n).toBe(says.window[0]);
      near(mean, says.window[1], 1e-9);
      // What it calls variance is the sum of squares.
      near(variance * n, says.window[2], 1e-6);
      expect(alarms(pageHinkley({ threshold: 20, alpha: 1 }).update)).toEqual(says.pageHinkley);
      const judge = ddm();
      const states = samples.errors.map((error) => judge.update(error === 1 ? 1 : 0));
      const at = (wanted: string): number[] =>
        states.flatMap((state, row) => (state === wanted ? [row] : []));
      expect(at('DRIFT')).toEqual(says.ddm);
      expect(at('WARNING')).toEqual(says.ddmWarnings);
    },
  );

  const map = isotonicMap(Uint8Array.from(samples.labels), Float64Array.from(samples.scores));
  const probabilities = calibrate(map, Float64Array.from(newScores));
  const selected = Uint8Array.from(newScores, (score) => (score >= 0.5 ? 1 : 0));
  const expected = expectedPerformance({ probabilities, selected, scores: Float64Array.from(newScores) });

  test.skipIf(pythons['sklearn'] === undefined)(
    `${titled('sklearn')}: isotonic calibration, and the expected cells by their formula`,
    () => {
      const says = ask('sklearn');
      says.calibrated.forEach((wanted, row) => {
        near(probabilities[row] ?? null, wanted, 1e-9);
      });
      const { truePositives, falsePositives, falseNegatives, trueNegatives } = expected;
      [truePositives, falsePositives, falseNegatives, trueNegatives].forEach((cell, place) => {
        near(cell, says.cells[place] ?? Number.NaN);
      });
      near(expected.f1.value, says.f1);
    },
  );

  test.skipIf(pythons['nannyml'] === undefined)(
    `${titled('nannyml')}: estimates without labels, and the distance of names`,
    () => {
      const says = ask('nannyml');
      near(expected.accuracy.value, says.accuracy);
      near(expected.precision.value, says.precision);
      near(expected.truePositiveRate.value, says.recall);
      near(expected.f1.value, says.f1);
      // It rounds its counts to five digits.
      near(expected.areaUnderCurve.value, says.rocAuc, 1e-6);
      const countsOf = (names: readonly string[]): number[] =>
        letters.map((letter) => names.filter((name) => name === letter).length);
      const [one, other] = samples.names.map(countsOf);
      near(jensenShannon(one ?? [], other ?? [], '2').value, says.jensenShannon);
    },
  );
});
