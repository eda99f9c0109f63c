import { AnalysisInputError } from '../../errors.js';
import { f64, i32, u8 } from '../../numeric/typed.js';
import { checkScoredRows } from '../../performance/validate.js';
import { twoSidedZ } from '../../statistics/distributions.js';
import { CONFIDENCE, type Estimate, unknown } from '../../statistics/estimate.js';
import { wilson } from '../../statistics/proportions.js';
import { countGroups, type GroupCodes } from '../counts.js';
import { type Disparity, disparitiesOf } from '../disparity.js';
import { SMALLEST_GROUP } from '../reportable.js';
import { USUAL_BOOTSTRAP } from '../spreads.js';
import { between, checkCodes } from './sorted-scores.js';

/** A version of the model with its probabilities of the rows of the search. */
export interface CandidateVersion {
  readonly version: string;
  readonly probabilities: Float64Array;
}

/** What is searched for: group-blind decisions, one threshold of one version for everybody. */
export interface AlternativeSearch {
  readonly versions: readonly CandidateVersion[];
  readonly labels: Uint8Array;
  readonly codes: GroupCodes;
  /** What decides today. */
  readonly current: { readonly version: string; readonly threshold: number };
  /** What shall be more equal: selection (the default), or selection among the positives. */
  readonly metric?: 'selectionRate' | 'truePositiveRate';
  /** Least and greatest share that may be selected, 0 and 1 by default. */
  readonly selectionRange?: readonly [least: number, greatest: number];
  /** Most alternatives that are described, 25 by default; the front is thinned evenly, its ends stay. */
  readonly most?: number;
  /** Groups with fewer rows (for the true positive rate: positives) do not count. */
  readonly smallest?: number;
}

/** One version and threshold. */
export interface Candidate {
  readonly version: string;
  /** Selected are probabilities of at least this. */
  readonly threshold: number;
  readonly accuracy: number;
  readonly selectionRate: number;
  /** Highest minus lowest share of the groups. */
  readonly difference: number;
  /** Lowest over highest; null when nobody of the highest group is selected. */
  readonly ratio: number | null;
}

/** A candidate with the uncertainty of its numbers. */
export interface Alternative extends Candidate {
  readonly accuracyInterval: Estimate;
  /** Accuracy minus that of today, on the same rows (paired). */
  readonly accuracyChange: Estimate;
  readonly disparity: Disparity;
}

/** Candidates of which none is both more accurate and more equal, from the most accurate to the most equal. */
export interface AlternativesReport {
  readonly metric: 'selectionRate' | 'truePositiveRate';
  readonly current: Alternative;
  readonly front: readonly Alternative[];
  /** Candidates that were compared. */
  readonly compared: number;
  /** Groups that were too small to count. */
  readonly excluded: readonly string[];
}

interface Prepared {
  readonly search: AlternativeSearch;
  /** Groups that count, as places in the codes. */
  readonly places: readonly number[];
  /** Denominator of the metric for each place. */
  readonly totals: readonly number[];
  readonly positives: number;
}

/**
 * Search for a less discriminatory alternative among versions and thresholds that do not look at the group: each
 * version is sorted once, and every cut between distinct scores follows from the one before at constant cost per
 * group. To select nobody or everybody is no alternative. Searched and judged on the same rows the best is too good: confirm it on others before it is proposed.
 * @throws AnalysisInputError for rows that do not fit, unknown versions, and fewer than two groups that are large enough.
 */
export function searchAlternatives(search: AlternativeSearch): AlternativesReport {
  const prepared = prepare(search);
  const { metric = 'selectionRate', current, versions, codes } = search;
  const [least, greatest] = search.selectionRange ?? [0, 1];
  let compared = 0;
  const fronts = versions.map((version) => {
    const candidates = candidatesOf(prepared, version).filter(
      ({ selectionRate }) => selectionRate >= least && selectionRate <= greatest,
    );
    compared += candidates.length;
    return paretoFront(candidates);
  });
  const front = thinned(paretoFront(fronts.flat()), search.most ?? 25);
  const now = versions.find(({ version }) => version === current.version);
  if (now === undefined) throw new AnalysisInputError(`'${current.version}' is not among the versions.`);
  const decisions = decisionsAt(now, current.threshold);
  return {
    metric,
    current: describe(prepared, candidateAt(prepared, now, current.threshold), decisions),
    front: front.map((candidate) => describe(prepared, candidate, decisions)),
    compared,
    excluded: codes.groups.filter((_, place) => !prepared.places.includes(place)),
  };
}

function checkSearch({ versions, labels, codes, most = 25 }: AlternativeSearch): void {
  if (!Number.isInteger(most) || most < 2)
    throw new AnalysisInputError('At least two alternatives are described.');
  if (labels.length === 0) throw new AnalysisInputError('There are no rows to search on.');
  for (const { probabilities } of versions) checkScoredRows({ labels, probabilities });
  checkCodes(codes, labels.length);
}

function prepare(search: AlternativeSearch): Prepared {
  const { labels, codes, metric, smallest = SMALLEST_GROUP } = search;
  checkSearch(search);
  const totals = new Float64Array(codes.groups.length);
  let positives = 0;
  for (let row = 0; row < labels.length; row += 1) {
    positives += u8(labels, row);
    const code = i32(codes.codes, row);
    if (code < 0) continue;
    totals[code] = f64(totals, code) + (metric === 'truePositiveRate' ? u8(labels, row) : 1);
  }
  const places = codes.groups.flatMap((_, place) =>
    f64(totals, place) >= Math.max(1, smallest) ? [place] : [],
  );
  if (places.length < 2) throw new AnalysisInputError('Fewer than two groups are large enough to compare.');
  return { search, places, totals: places.map((place) => f64(totals, place)), positives };
}

function candidateOf(
  { places, totals, positives, search }: Prepared,
  version: string,
  threshold: number,
  counts: { readonly byGroup: Float64Array; readonly selected: number; readonly hits: number },
): Candidate {
  const n = search.labels.length;
  let [low, high] = [1, 0];
  places.forEach((place, index) => {
    const share = f64(counts.byGroup, place) / (totals[index] ?? NaN);
    low = Math.min(low, share);
    high = Math.max(high, share);
  });
  return {
    version,
    threshold,
    accuracy: (counts.hits + (n - positives) - (counts.selected - counts.hits)) / n,
    selectionRate: counts.selected / n,
    difference: high - low,
    ratio: high === 0 ? null : low / high,
  };
}

function candidatesOf(prepared: Prepared, { version, probabilities }: CandidateVersion): Candidate[] {
  const { labels, codes, metric } = prepared.search;
  const order = Uint32Array.from(probabilities.keys()).sort(
    (a, b) => f64(probabilities, b) - f64(probabilities, a),
  );
  const counts = { byGroup: new Float64Array(codes.groups.length), selected: 0, hits: 0 };
  const candidates: Candidate[] = [];
  order.forEach((row, index) => {
    const label = u8(labels, row);
    const code = i32(codes.codes, row);
    counts.selected += 1;
    counts.hits += label;
    if (code >= 0 && (metric !== 'truePositiveRate' || label === 1)) {
      counts.byGroup[code] = f64(counts.byGroup, code) + 1;
    }
    const own = f64(probabilities, row);
    const next = order[index + 1];
    // After the last row everybody is selected: equal, and no decision.
    if (next === undefined || f64(probabilities, next) === own) return;
    const threshold = between(f64(probabilities, next), own);
    candidates.push(candidateOf(prepared, version, threshold, counts));
  });
  return candidates;
}

function candidateAt(prepared: Prepared, version: CandidateVersion, threshold: number): Candidate {
  const { labels, codes, metric } = prepared.search;
  const counts = { byGroup: new Float64Array(codes.groups.length), selected: 0, hits: 0 };
  decisionsAt(version, threshold).forEach((decision, row) => {
    if (decision === 0) return;
    const [label, code] = [u8(labels, row), i32(codes.codes, row)];
    counts.selected += 1;
    counts.hits += label;
    if (code >= 0 && (metric !== 'truePositiveRate' || label === 1)) {
      counts.byGroup[code] = f64(counts.byGroup, code) + 1;
    }
  });
  return candidateOf(prepared, version.version, threshold, counts);
}

/** From the most accurate to the most equal; of candidates alike in both only the first. */
export function paretoFront<Point extends Pick<Candidate, 'accuracy' | 'difference'>>(
  points: readonly Point[],
): Point[] {
  const ordered = points.toSorted((a, b) => b.accuracy - a.accuracy || a.difference - b.difference);
  const front: Point[] = [];
  let least = Number.POSITIVE_INFINITY;
  for (const point of ordered) {
    if (point.difference >= least) continue;
    front.push(point);
    least = point.difference;
  }
  return front;
}

function thinned<Point>(points: readonly Point[], most: number): Point[] {
  if (points.length <= most) return [...points];
  const kept = new Set(
    Array.from({ length: most }, (_, index) => Math.round((index * (points.length - 1)) / (most - 1))),
  );
  return points.filter((_, index) => kept.has(index));
}

function decisionsAt({ probabilities }: CandidateVersion, threshold: number): Uint8Array {
  return Uint8Array.from(probabilities, (probability) => (probability >= threshold ? 1 : 0));
}

function describe({ search, places }: Prepared, candidate: Candidate, today: Uint8Array): Alternative {
  const { versions, labels, codes, metric = 'selectionRate', smallest = SMALLEST_GROUP } = search;
  const version = versions.find((one) => one.version === candidate.version);
  const selected = version === undefined ? today : decisionsAt(version, candidate.threshold);
  const counted = countGroups(codes, { selected, labels, probabilities: null });
  const groups = counted.groups.filter((_, place) => places.includes(place));
  const reporting = { smallest, hideSmallCounts: false };
  const { disparities } = disparitiesOf([metric], groups, reporting, USUAL_BOOTSTRAP);
  const [disparity] = disparities;
  if (disparity === undefined) throw new AnalysisInputError('There is no disparity to describe.');
  const n = labels.length;
  return {
    ...candidate,
    accuracyInterval: wilson({ successes: Math.round(candidate.accuracy * n), n }),
    accuracyChange: pairedChange(selected, today, labels),
    disparity,
  };
}

/** Mean difference of being right on the same rows, with its normal interval. */
function pairedChange(selected: Uint8Array, today: Uint8Array, labels: Uint8Array): Estimate {
  const n = labels.length;
  if (n < 2) return unknown(n, 'A mean with an interval needs two rows.');
  let [better, worse] = [0, 0];
  labels.forEach((label, row) => {
    if (u8(selected, row) === u8(today, row)) return;
    if (u8(selected, row) === label) better += 1;
    else worse += 1;
  });
  const value = (better - worse) / n;
  const half = twoSidedZ(CONFIDENCE) * Math.sqrt(((better + worse) / n - value * value) / (n - 1));
  return { value, n, low: value - half, high: value + half };
}
