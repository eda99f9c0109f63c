/*
 * The mathematics of Countersign: pure functions on typed arrays. The one door to this folder.
 */

// What is refused, and why.
export { AdditivityError, AnalysisInputError, OnnxFormatError, UnsupportedModelError } from './errors.js';

// ONNX files.
export type {
  ExternalDataReference,
  OnnxAttribute,
  OnnxDimension,
  OnnxGraph,
  OnnxModel,
  OnnxNode,
  OnnxTensor,
  OnnxValue,
} from './onnx/model.js';
export { readOnnxModel } from './onnx/read-model.js';

// Scorers read from ONNX, and ensembles of them.
export {
  type ColumnGroup,
  createEnsemble,
  type Ensemble,
  type EnsembleParts,
  type EnsemblePrediction,
  type PlattCalibration,
  type WeightedMember,
} from './ensemble/ensemble.js';
export { loadMember } from './ensemble/load-member.js';
export { createMember, type Member, type MemberParts, sigmoid } from './ensemble/member.js';
export { probeRows } from './ensemble/probes.js';

// Attribution: what each feature contributed.
export { createExplainer, type Explainer, explainRows, type Explanation } from './attribution/explain.js';
export { type AttributionSummary, type GlobalAttribution, globalAttribution } from './attribution/global.js';

// Counterfactuals: what would have to be different.
export type { FeatureRule } from './counterfactual/candidates.js';
export {
  type Counterfactual,
  type CounterfactualRequest,
  type CounterfactualResult,
  type FeatureChange,
  findCounterfactuals,
} from './counterfactual/search.js';

// Performance against known outcomes.
export { areaUnderCurve } from './performance/auc.js';
export { calibrationError, type ReliabilityBin, reliabilityBins } from './performance/calibration.js';
export {
  type Confusion,
  confusionAt,
  type PerformanceOptions,
  type PerformanceReport,
  performanceReport,
} from './performance/report.js';
export { type DecisionReport, decisionReport } from './performance/decisions.js';
export type { ScoredRows } from './performance/validate.js';

// Fairness between groups.
export type { Comparison } from './fairness/comparisons.js';
export {
  type CountedGroups,
  countGroups,
  type DecidedRows,
  type GroupCodes,
  type GroupCounts,
  intersectGroups,
  type OutcomeCells,
} from './fairness/counts.js';
export type { Disparity } from './fairness/disparity.js';
export type { FourFifthsRow, FourFifthsView } from './fairness/four-fifths.js';
export { GROUP_METRICS, type GroupMetric } from './fairness/metrics.js';
export {
  type FairnessOptions,
  type FairnessReport,
  fairnessReport,
  type GroupReport,
} from './fairness/report.js';
export { SMALLEST_GROUP } from './fairness/reportable.js';
export type { ShownCounts } from './fairness/suppression.js';

// Drift: frozen bins with counts that add up, distances, detectors in a stream, performance without labels.
export { type Adwin, adwin, type AdwinOptions, type StreamDetector } from './drift/adwin.js';
export {
  type CategoricalBins,
  type DriftCounts,
  type FrozenBins,
  type NumericBins,
  quantileEdges,
  topCategories,
} from './drift/baseline.js';
export {
  expectedByGroup,
  expectedPerformance,
  type ExpectedPerformance,
  type UnlabelledRows,
} from './drift/cbpe.js';
export { type ColumnDrift, columnDrift } from './drift/column-drift.js';
export {
  type CategoricalCounter,
  categoricalCounter,
  mergeCounts,
  type NumericCounter,
  numericCounter,
  rowsOf,
} from './drift/counts.js';
export {
  chiSquareTwoSamples,
  type Distance,
  hellinger,
  jensenShannon,
  populationStability,
  type Stability,
} from './drift/distances.js';
export { calibrate, type IsotonicMap, isotonicMap } from './drift/isotonic.js';
export { type Kolmogorov, kolmogorovOnBins, kolmogorovSmirnov } from './drift/kolmogorov.js';
export { ddm, type DdmState, pageHinkley } from './drift/sequential.js';
export { type BoundedDistance, wasserstein, wassersteinOnBins } from './drift/wasserstein.js';

// Contextual bandit: choosing among permitted actions, learning, and judging another policy on logged rounds.
export { type Choice, type ChoiceRequest, choose } from './bandit/choose.js';
export { evaluatePolicy, type LoggedRound, type PolicyValue } from './bandit/evaluate-policy.js';
export { type ActionModel, newActionModel, predictReward, updateModel } from './bandit/linear-model.js';

// Merkle log (RFC 9162).
export { appendLeaves, type CompactRange, emptyRange, rangeRoot } from './merkle/compact-range.js';
export { type Consistency, consistencyProof, verifyConsistency } from './merkle/consistency.js';
export {
  emptyRoot,
  type Inclusion,
  inclusionProof,
  leafHash,
  merkleRoot,
  nodeHash,
  verifyInclusion,
} from './merkle/merkle.js';

// Statistics: estimates with their intervals, tests, reproducible randomness.
export { quantileOf } from './statistics/bootstrap.js';
export { CONFIDENCE, type Estimate } from './statistics/estimate.js';
export { meanEstimate, type Moments, momentsOf } from './statistics/mean.js';
export {
  compareProportions,
  katzRatio,
  newcombe,
  type Proportion,
  type Test,
  wilson,
} from './statistics/proportions.js';
export { randomStream, type RandomStream } from './statistics/random.js';
export { holm, homogeneity } from './statistics/tests.js';
