import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';

import { installationRoot } from '../../kernel/root.js';
import { askPeers, type Peers, pythonWithFairness } from '../../testing/fairness-peers.js';
import { areaUnderCurve } from '../performance/auc.js';
import { recalibration } from '../performance/recalibration.js';
import type { Estimate } from '../statistics/estimate.js';
import { compareProportions, fisherExact, katzRatio, wilson } from '../statistics/proportions.js';
import { randomStream } from '../statistics/random.js';
import { benjaminiHochberg } from '../statistics/tests.js';
import { kolmogorovTail, sampleDistance } from '../statistics/two-samples.js';
import { aequitasAudit, type AequitasMetric } from './aequitas.js';
import { countByStratum } from './conditional.js';
import { consistency } from './consistency.js';
import { contrastGroups } from './contrasts.js';
import { countGroups, type GroupCodes, intersectGroups } from './counts.js';
import { differentialFairness } from './differential.js';
import { entropyReport, generalizedEntropy } from './entropy.js';
import type { GroupShare } from './metrics.js';
import { isotonicCurve } from './mitigation/group-calibration.js';
import { reweighing } from './mitigation/reweighing.js';
import { optimizeThresholds, type ParityConstraint } from './mitigation/threshold-optimizer.js';
import { fairnessReport, type FairnessReport } from './report.js';
import { weightedGroups } from './weighted.js';

/*
 * Agreement with the reference libraries over the held-out rows of Adult, to 1e-12 where they define the number. Where
 * they are wrong, the test says how.
 */

const found = pythonWithFairness();
const missing = 'missing' in found ? found.missing : null;

interface Rows {
  readonly labels: Uint8Array;
  readonly probabilities: Float64Array;
  readonly selected: Uint8Array;
  readonly sex: GroupCodes;
  readonly race: GroupCodes;
  readonly weights: Float64Array;
}

/** Codes of a column of names. */
function codesOf(attribute: string, values: readonly string[]): GroupCodes {
  const groups = [...new Set(values)].sort();
  return { attribute, groups, codes: Int32Array.from(values, (value) => groups.indexOf(value)) };
}

/** Adult's held-out rows with a probability by a fixed line over four inputs: a model is not what is tested. */
function adult(): Rows {
  const file = join(installationRoot, 'models', 'data', 'adult-heldout.csv.gz');
  const [header = '', ...lines] = gunzipSync(readFileSync(file)).toString('utf8').trim().split('\n');
  const names = header.split(',');
  const cells = lines.map((line) => line.split(','));
  const column = (name: string): string[] => cells.map((row) => row[names.indexOf(name)] ?? '');
  const numbers = (name: string): number[] => column(name).map(Number);
  const [age, years, hours, gain] = [
    numbers('age'),
    numbers('education_num'),
    numbers('hours_per_week'),
    numbers('capital_gain'),
  ];
  const probabilities = Float64Array.from(age, (own, row) => {
    const score =
      -8.5 +
      0.045 * own +
      0.35 * (years[row] ?? 0) +
      0.035 * (hours[row] ?? 0) +
      ((gain[row] ?? 0) > 5000 ? 3 : 0);
    // Rounded, so that equal inputs are ties to the last bit: scikit-learn takes what is 1e-15 apart for equal.
    return Math.round(1e6 / (1 + Math.exp(-score))) / 1e6;
  });
  const { uniform } = randomStream(4);
  return {
    labels: Uint8Array.from(numbers('income_above_50k')),
    probabilities,
    selected: Uint8Array.from(probabilities, (p) => (p >= 0.5 ? 1 : 0)),
    sex: codesOf('sex', column('sex')),
    race: codesOf('race', column('race')),
    weights: Float64Array.from(probabilities, () => 0.5 + uniform()),
  };
}

const TABLES = [
  [
    [1852, 2041],
    [243, 339],
  ],
  [
    [235, 2435],
    [157, 2435],
  ],
  [
    [3, 10],
    [9, 12],
  ],
  [
    [1, 400],
    [12, 500],
  ],
  [
    [0, 25],
    [4, 30],
  ],
] as const;
const P_VALUES = [0.001, 0.04, 0.03, 0.2, 0.9, 0.011];
const FEATURE_ROWS = 1500;

let rows: Rows;
let peers: Peers;
let features: Float64Array;
let samples: readonly [Float64Array, Float64Array];

const namesOf = ({ codes, groups }: GroupCodes): string[] => Array.from(codes, (code) => groups[code] ?? '');

/** Equal to 1e-12, relative for numbers above one. */
function agree(own: Estimate | number | null | undefined, reference: number | null | undefined): void {
  const value = typeof own === 'object' ? own?.value : own;
  if (typeof value !== 'number' || typeof reference !== 'number')
    throw new Error(`${String(value)}, ${String(reference)}`);
  expect(Math.abs(value - reference)).toBeLessThanOrEqual(1e-12 * Math.max(1, Math.abs(reference)));
}

/** A rate without rows is 0 for fairlearn (0/0); here it is null with the reason. */
function agreeOrZero(own: Estimate, reference: number | null): void {
  if (own.value === null) expect(reference).toBe(0);
  else agree(own, reference);
}

const reportOf = (codes: GroupCodes, some: Rows = rows): FairnessReport =>
  fairnessReport(countGroups(codes, some), { smallest: 1, replicates: 10 });

const disparity = (
  report: FairnessReport,
  metric: string,
): FairnessReport['disparities'][number] | undefined =>
  report.disparities.find((one) => one.metric === metric);

test('Adult is whole: 48,842 rows in three parts', () => {
  const sizes = ['train', 'calibration', 'heldout'].map((part) => {
    const file = join(installationRoot, 'models', 'data', `adult-${part}.csv.gz`);
    return gunzipSync(readFileSync(file)).toString('utf8').trim().split('\n').length - 1;
  });
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(32_561 + 16_281);
});

describe.skipIf(missing !== null)(
  `the reference libraries of fairness${missing === null ? '' : ` (skipped: ${missing})`}`,
  () => {
    beforeAll(() => {
      rows = adult();
      const { uniform, normal } = randomStream(9);
      features = Float64Array.from({ length: FEATURE_ROWS * 4 }, () => normal());
      samples = [
        Float64Array.from({ length: 300 }, () => Math.round(normal() * 20) / 10),
        Float64Array.from({ length: 211 }, () => Math.round(uniform() * 40) / 10),
      ];
      const python = 'python' in found ? found.python : '';
      peers = askPeers(python, {
        labels: [...rows.labels],
        selected: [...rows.selected],
        probabilities: [...rows.probabilities],
        sex: namesOf(rows.sex),
        race: namesOf(rows.race),
        weights: [...rows.weights],
        features: Array.from({ length: FEATURE_ROWS }, (_, row) => [
          ...features.subarray(row * 4, row * 4 + 4),
        ]),
        tables: TABLES,
        first: [...samples[0]],
        second: [...samples[1]],
        pValues: P_VALUES,
      });
    });

    test.each(['race', 'both'] as const)('fairlearn: every share, difference and ratio by %s', (name) => {
      const report = reportOf(name === 'race' ? rows.race : intersectGroups(rows.sex, rows.race));
      const reference = peers.fairlearn[name];
      for (const { group, metrics } of report.groups) {
        const shares = Object.entries(reference.groups[group] ?? {});
        expect(shares).toHaveLength(7);
        for (const [metric, value] of shares) agreeOrZero(metrics[metric as GroupShare], value);
      }
      const compared = report.disparities.filter(
        (one) => one.metric in reference.difference && one.excluded.length === 0,
      );
      expect(compared.length).toBeGreaterThanOrEqual(3);
      for (const { metric, difference, differenceToOverall, ratio, ratioToOverall } of compared) {
        agree(difference, reference.difference[metric]);
        agree(differenceToOverall, reference.differenceToOverall[metric]);
        if (ratio.value !== null) agree(ratio, reference.ratio[metric]);
        if (ratioToOverall.value !== null) agree(ratioToOverall, reference.ratioToOverall[metric]);
      }
    });

    test('fairlearn: parity, equalized odds, control features and weights', () => {
      const report = reportOf(rows.race);
      agree(disparity(report, 'selectionRate')?.difference, peers.fairlearn.parity);
      agree(report.equalizedOdds.difference, peers.fairlearn.odds['difference_worst_case']);
      agree(report.equalizedOdds.meanDifference, peers.fairlearn.odds['difference_mean']);
      agree(report.equalizedOdds.ratio, peers.fairlearn.odds['ratio_worst_case']);
      agree(report.equalizedOdds.meanRatio, peers.fairlearn.odds['ratio_mean']);
      for (const { stratum, counted } of countByStratum(rows.sex, rows.race, rows)) {
        const within = fairnessReport(counted, { smallest: 1, replicates: 10 });
        for (const metric of ['selectionRate', 'truePositiveRate', 'falsePositiveRate', 'accuracy']) {
          agree(disparity(within, metric)?.difference, peers.fairlearn.withinRace[stratum]?.[metric]);
        }
      }
      for (const { group, metrics } of weightedGroups(rows.race, rows, rows.weights, 1)) {
        agree(metrics.selectionRate, peers.fairlearn.weightedSelection[group]);
        agree(metrics.truePositiveRate, peers.fairlearn.weightedTruePositiveRate[group]);
      }
    });

    test('fairlearn turns a rate without rows into 0; here it is null', () => {
      expect(peers.fairlearn.noPositives).toBe(0);
      const codes: GroupCodes = { attribute: 'a', groups: ['x'], codes: Int32Array.of(0, 0, 0) };
      const counted = countGroups(codes, {
        selected: Uint8Array.of(0, 1, 0),
        labels: Uint8Array.of(0, 0, 0),
        probabilities: null,
      });
      expect(fairnessReport(counted, { smallest: 1 }).groups[0]?.metrics.truePositiveRate).toMatchObject({
        value: null,
      });
    });

    test('aif360: unprivileged beside privileged', () => {
      const { groups } = countGroups(rows.sex, rows);
      const own = contrastGroups(groups, { privileged: ['Male'], bootstrap: { seed: 1, replicates: 10 } });
      const share = (metric: GroupShare): (typeof own.shares)[number] | undefined =>
        own.shares.find((one) => one.metric === metric);
      const { pair } = peers.aif360;
      agree(share('selectionRate')?.difference, pair['statistical_parity_difference']);
      agree(share('selectionRate')?.ratio, pair['disparate_impact_ratio']);
      agree(share('truePositiveRate')?.difference, pair['equal_opportunity_difference']);
      agree(own.averageOddsDifference, pair['average_odds_difference']);
      agree(own.averageAbsoluteOddsDifference, pair['average_odds_error']);
      agree(own.averagePredictiveValueDifference, pair['average_predictive_value_difference']);
      for (const [metric, [difference, ratio]] of Object.entries(peers.aif360.rates)) {
        agree(share(metric as GroupShare)?.difference, difference);
        agree(share(metric as GroupShare)?.ratio, ratio);
      }
    });

    test('aif360: entropy, consistency, differential fairness, reweighing', () => {
      const once = { seed: 1, replicates: 10 };
      const { groups } = countGroups(rows.race, rows);
      for (const [alpha, value] of Object.entries(peers.aif360.entropy)) {
        agree(entropyReport(groups, Number(alpha), once).total, value);
      }
      const report = entropyReport(groups, 2, once);
      agree(report.betweenGroups, peers.aif360.between);
      agree(report.coefficientOfVariation, peers.aif360.variation);
      agree(
        consistency({ columns: 4, values: features }, rows.selected.slice(0, FEATURE_ROWS)),
        peers.aif360.consistency,
      );
      agree(differentialFairness(groups, 1, once), peers.aif360.differential);
      for (const { group, label, weight } of reweighing(rows.sex, rows.labels).cells) {
        agree(weight, peers.aif360.reweighing[`${group} ${String(label)}`]);
      }
    });

    test('aif360 divides the mean log deviation by the mean once more than its formula', () => {
      const benefits = [1, 2, 1, 3];
      const own = generalizedEntropy(benefits, [1, 1, 1, 1], 0);
      agree(own, -benefits.reduce((sum, benefit) => sum + Math.log(benefit / 1.75), 0) / 4);
      agree(own / 1.75, peers.aif360.entropyZero);
    });

    test('aequitas: every metric and its disparity to the largest group', () => {
      const names: Readonly<Record<string, AequitasMetric>> = {
        ppr: 'predictedPositiveRate',
        pprev: 'predictedPositivePrevalence',
        precision: 'precision',
        fdr: 'falseDiscoveryRate',
        for: 'falseOmissionRate',
        fpr: 'falsePositiveRate',
        fnr: 'falseNegativeRate',
        tpr: 'truePositiveRate',
        tnr: 'trueNegativeRate',
        npv: 'negativePredictiveValue',
      };
      const { groups } = countGroups(rows.race, rows);
      const reporting = { smallest: 1, hideSmallCounts: false };
      let compared = 0;
      for (const { group, disparities } of aequitasAudit(groups, { reference: 'majority', reporting })) {
        for (const [name, metric] of Object.entries(names)) {
          const own = disparities.find((one) => one.metric === metric);
          const [, disparityThere] = peers.aequitas[group]?.[name] ?? [null, null];
          agree(own?.ratio, disparityThere);
          compared += 1;
        }
      }
      expect(compared).toBe(10 * groups.length);
    });

    test('scipy: intervals and tests', () => {
      TABLES.forEach(([[a, n], [b, m]], index) => {
        const [first, second] = [
          { successes: a, n },
          { successes: b, n: m },
        ];
        const reference = peers.scipy.tables[index];
        if (reference === undefined) throw new Error('no table');
        const interval = wilson(first);
        if (interval.value === null) throw new Error('no interval');
        agree(interval.low, reference.wilson[0]);
        agree(interval.high, reference.wilson[1]);
        // ln Gamma carries an error of about 1e-15 times its size, up to 3e4 here.
        expect(Math.abs(fisherExact(first, second) / reference.fisher - 1)).toBeLessThan(1e-9);
        const compared = compareProportions(first, second);
        if (compared.method === 'two-proportion-z') {
          expect((compared.statistic ?? 0) ** 2 / reference.chi2[0]).toBeCloseTo(1, 11);
          expect(compared.pValue / reference.chi2[1]).toBeCloseTo(1, 10);
        }
        const ratio = katzRatio(first, second);
        if (ratio.value !== null && reference.katz.length > 0) {
          [ratio.value, ratio.low, ratio.high].forEach((value, at) => {
            agree(value, reference.katz[at]);
          });
        }
      });
      const distance = sampleDistance(...samples);
      agree(distance?.kolmogorovSmirnov, peers.scipy.ks);
      agree(distance?.wasserstein, peers.scipy.wasserstein);
      for (const [x, tail] of Object.entries(peers.scipy.kolmogorov)) agree(kolmogorovTail(Number(x)), tail);
      benjaminiHochberg(P_VALUES).forEach((value, index) => {
        agree(value, peers.scipy.bh[index]);
      });
    });

    test('scikit-learn: area, calibration line, isotonic steps', () => {
      const { labels, probabilities } = rows;
      agree(areaUnderCurve(rows), peers.scores.auc);
      const { slope, intercept } = recalibration({ labels, probabilities });
      expect(slope.value).toBeCloseTo(peers.scores.slope, 8);
      expect(intercept.value).toBeCloseTo(peers.scores.intercept, 8);
      const curve = isotonicCurve({ labels, probabilities });
      peers.scores.isotonic.forEach((value, row) => {
        expect(Math.abs((curve?.(probabilities[row] ?? 0) ?? NaN) - value)).toBeLessThan(1e-12);
      });
    });

    test.each<ParityConstraint>(['selectionRate', 'truePositiveRate', 'falsePositiveRate', 'equalizedOdds'])(
      'fairlearn: thresholds under equal %s are at least as accurate without its grid',
      (constraint) => {
        const { accuracy } = optimizeThresholds(rows.sex, rows, constraint);
        const reference = peers.mitigation[constraint] ?? Number.NaN;
        expect(accuracy).toBeGreaterThanOrEqual(reference - 1e-9);
        expect(accuracy).toBeLessThan(reference + 2e-3);
      },
    );
  },
);
