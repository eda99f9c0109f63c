import { z } from 'zod';
import { GROUP_METRICS, GROUP_SHARES } from '../../analysis/index.js';
import { driftBaseline, driftWindow } from '../../kernel/drift-baseline.js';

/*
 * What the process that measured a table of predictions says. It read a stranger's file and may have been taken over,
 * so its words are checked. The shapes are those of `analysis`.
 */

const count = z.number().min(0);
const text = z.string().max(500);
const estimate = z.union([
  z.object({ value: z.number(), n: count, low: z.number(), high: z.number() }),
  z.object({ value: z.null(), n: count.nullable(), reason: text }),
]);
const tested = z.union([
  z.object({
    method: z.enum(['two-proportion-z', 'fisher-exact', 'chi-square']),
    statistic: z.number().nullable(),
    pValue: z.number(),
  }),
  z.object({ method: z.null(), reason: text }),
]);

const decisions = z.object({
  n: count,
  confusion: z.object({
    truePositives: count,
    falsePositives: count,
    falseNegatives: count,
    trueNegatives: count,
  }),
  accuracy: estimate,
  prevalence: estimate,
  selectionRate: estimate,
  truePositiveRate: estimate,
  falsePositiveRate: estimate,
  precision: estimate,
});

const scores = z.object({
  areaUnderCurve: estimate,
  brier: estimate,
  logLoss: estimate,
  calibrationError: estimate,
  reliability: z
    .array(
      z.object({
        from: z.number(),
        to: z.number(),
        n: count,
        predicted: z.number().nullable(),
        observed: estimate,
      }),
    )
    .max(50),
});

const expected = z.object({
  n: count,
  accuracy: estimate,
  precision: estimate,
  truePositiveRate: estimate,
  falsePositiveRate: estimate,
  f1: estimate,
  areaUnderCurve: estimate,
});

const metric = z.enum(GROUP_METRICS);
const share = z.enum(GROUP_SHARES);
const shown = count.nullable();
const group = z.string().max(500);

const groupReport = z.object({
  group,
  counts: z.object({
    n: shown,
    truePositives: shown,
    falsePositives: shown,
    falseNegatives: shown,
    trueNegatives: shown,
  }),
  metrics: z.record(share, estimate),
  brier: estimate,
  overestimate: estimate,
});

const excluded = z.array(z.object({ group, reason: text })).max(1000);

const fairness = z.object({
  attribute: z.string().max(700),
  n: count,
  unknown: count,
  reference: group.nullable(),
  groups: z.array(groupReport).max(1000),
  comparisons: z
    .array(
      z.object({
        metric,
        group,
        reference: group,
        difference: estimate,
        ratio: estimate,
        test: tested,
        adjustedPValue: z.number().nullable(),
        falseDiscoveryPValue: z.number().nullable(),
      }),
    )
    .max(7000),
  disparities: z
    .array(
      z.object({
        metric: share,
        highest: group.nullable(),
        lowest: group.nullable(),
        difference: estimate,
        ratio: estimate,
        differenceToOverall: estimate,
        ratioToOverall: estimate,
        bias: z.number().nullable(),
        homogeneity: tested,
        excluded,
      }),
    )
    .max(GROUP_SHARES.length),
  equalizedOdds: z.object({
    difference: estimate,
    meanDifference: estimate,
    ratio: estimate,
    meanRatio: estimate,
  }),
  fourFifths: z.object({
    highest: group.nullable(),
    rows: z
      .array(
        z.object({
          group,
          ratio: estimate,
          test: tested,
          verdict: z.enum(['below', 'straddles', 'above', 'unknown']),
          isTwoDeviations: z.boolean().nullable(),
          isPointBelow: z.boolean().nullable(),
        }),
      )
      .max(1000),
    excluded,
  }),
});

const measured = z.object({
  rows: z.int().min(1),
  /** Rows whose outcome nobody knows; performance and fairness are about the others. */
  withoutOutcome: z.int().min(0),
  selectionRate: estimate,
  /** Share of rows whose prediction is the very outcome, whatever the number of classes. */
  exactMatch: estimate.nullable(),
  /** Null when no outcome is known. */
  decisions: decisions.nullable(),
  /** Null without outcomes or without scores. */
  scores: scores.nullable(),
  /** What the calibration of the baseline leads to expect; null when an outcome is known, or there is no calibration. */
  expected: expected.nullable(),
  expectedGroups: z
    .array(z.object({ attribute: text, group, performance: expected.nullable(), reason: text.nullable() }))
    .max(2000),
  fairness: z.array(fairness).max(20),
  /** Counts on the baseline; null without one. */
  window: driftWindow.nullable(),
  /** What was frozen, when that was asked for. */
  frozen: driftBaseline.nullable(),
  engine: z.string().max(100),
});

/** What was measured on a table of predictions. */
export type MeasuredPredictions = z.output<typeof measured>;

export const predictionsAnswer = z.discriminatedUnion('accepted', [
  z.object({ accepted: z.literal(true), measured }),
  z.object({
    accepted: z.literal(false),
    rule: z.string().min(1).max(40),
    reason: z.string().min(1).max(2000),
  }),
]);

/** What was measured, or the rule that the table breaks and a sentence about it. */
export type PredictionsAnswer = z.output<typeof predictionsAnswer>;
