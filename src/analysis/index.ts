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
export { compareReadings, type ReadingDifference } from './ensemble/compare-readings.js';
export { loadMember, loadTrees, type TreeReading } from './ensemble/load-member.js';
export { createMember, type Member, type MemberParts, sigmoid } from './ensemble/member.js';
export { probeRows } from './ensemble/probes.js';

// Attribution: what each feature contributed.
export { createExplainer, type Explainer, explainRows, type Explanation } from './attribution/explain.js';
export { type AttributionSummary, type GlobalAttribution, globalAttribution } from './attribution/global.js';

export type { AttributionMethod } from './attribution/choose-method.js';
export {
  createTreeExplainer,
  type TreeExplainer,
  type TreeExplainerRequest,
  type TreeExplanation,
} from './attribution/tree-explainer.js';
export { finishRows, type PreparedTrees, prepareTrees, wholeRows } from './attribution/tree-explainer.js';
export {
  BLOCK,
  createWorkspace,
  openWorkspace,
  type Stretch,
  type WorkspaceHandle,
} from './attribution/kernels/workspace.js';
export {
  buildTree,
  loadPlan,
  planSize,
  type PlanRequest,
  planTables,
  stretchOf,
  type TablePlan,
} from './attribution/tables/plan.js';
export { chunkRows, loadRows, storeSums } from './attribution/tables/runner.js';
export { type Forest, type VectorForest } from './trees/forest.js';
export { kernelMargins } from './attribution/kernels/kernel-margins.js';

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
export { type Recalibration, recalibration } from './performance/recalibration.js';
export { type DecisionReport, decisionReport } from './performance/decisions.js';
export type { ScoredRows } from './performance/validate.js';

// Fairness between groups.
export {
  AEQUITAS_METRICS,
  type AequitasDisparity,
  type AequitasGroup,
  type AequitasMetric,
  type AequitasOptions,
  type AequitasParities,
  aequitasAudit,
} from './fairness/aequitas.js';
export type { Comparison } from './fairness/comparisons.js';
export {
  type ConditionalComparison,
  conditionalParity,
  countByStratum,
  type Stratum,
} from './fairness/conditional.js';
export { consistency, type FeatureTable } from './fairness/consistency.js';
export { type Contrast, contrastGroups, type ContrastOptions, type Contrasts } from './fairness/contrasts.js';
export {
  type CountedGroups,
  countGroups,
  type DecidedRows,
  type GroupCodes,
  type GroupCounts,
  intersectGroups,
  type OutcomeCells,
} from './fairness/counts.js';
export { differentialFairness } from './fairness/differential.js';
export type { Disparity, EqualizedOdds } from './fairness/disparity.js';
export { type EntropyReport, entropyReport, generalizedEntropy } from './fairness/entropy.js';
export type { FourFifthsRow, FourFifthsView } from './fairness/four-fifths.js';
export {
  type AuditBreakdown,
  type AuditCategory,
  auditClasses,
  type AuditedPeople,
  type AuditOptions,
  auditScores,
  auditSelections,
  type BiasAudit,
} from './fairness/local-law-144.js';
export { GROUP_METRICS, GROUP_SHARES, type GroupMetric, type GroupShare } from './fairness/metrics.js';
export {
  type FairnessOptions,
  type FairnessReport,
  fairnessReport,
  type GroupReport,
} from './fairness/report.js';
export { SMALLEST_GROUP } from './fairness/reportable.js';
export { type GroupScores, scoreReport, type ScoreReportOptions } from './fairness/score-report.js';
export { type ShownCounts, suppressSmallCells } from './fairness/suppression.js';
export { type WeightedGroup, weightedGroups } from './fairness/weighted.js';

// Alternatives that do not look at the group, and simulations of methods that do.
export {
  type Alternative,
  type AlternativeSearch,
  type AlternativesReport,
  type CandidateVersion,
  searchAlternatives,
} from './fairness/mitigation/alternatives.js';
export {
  calibrateGroups,
  type CalibrationMethod,
  type CalibrationSimulation,
} from './fairness/mitigation/group-calibration.js';
export {
  rejectOption,
  type RejectOptionRequest,
  type RejectOptionSimulation,
} from './fairness/mitigation/reject-option.js';
export { type Reweighing, type ReweighingCell, reweighing } from './fairness/mitigation/reweighing.js';
export {
  type GroupRule,
  optimizeThresholds,
  type ParityConstraint,
  type ThresholdSimulation,
} from './fairness/mitigation/threshold-optimizer.js';
export { GROUP_AWARE_WARNING } from './fairness/mitigation/warning.js';

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
export { evaluatePolicy, type PolicyOptions, type PolicyValue } from './bandit/evaluate-policy.js';
export { type Exploration, explore, type Explored, type ExploreRequest } from './bandit/explore.js';
export { type ActionModel, newActionModel, predictReward, updateModel } from './bandit/linear-model.js';
export type { LoggedRound, WeightDiagnostics } from './bandit/logged-rounds.js';
export {
  logisticBelief,
  type LogisticModel,
  type LogisticRound,
  newLogisticModel,
  updateLogistic,
} from './bandit/logistic-model.js';
export type { Bound, LowerBounds } from './bandit/lower-bound.js';
export { type GroupValue, type PromotionVerdict, promotionVerdict } from './bandit/promotion.js';
export {
  boundPropensities,
  type Bounds,
  drawAction,
  epsilonGreedy,
  gammaAt,
  type Scores,
  squareCb,
} from './bandit/propensities.js';
export { crossFitRewards, type RewardModelOptions, type RewardRound } from './bandit/reward-model.js';
export { type Belief, thompsonPropensities } from './bandit/thompson.js';
export type { Tuned } from './bandit/tuned-weights.js';

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
export { scoreDifference, scoreRatio } from './statistics/score-intervals.js';
export { benjaminiHochberg, holm, homogeneity } from './statistics/tests.js';
export { kolmogorovSmirnovTest, type SampleDistance, sampleDistance } from './statistics/two-samples.js';
