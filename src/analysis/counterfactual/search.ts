import type { Ensemble } from '../ensemble/ensemble.js';
import { AnalysisInputError } from '../errors.js';
import { f64 } from '../numeric/typed.js';
import { type Candidate, candidatesOf, currentValue, type FeatureRule } from './candidates.js';
import { pairProbabilities, singleProbabilities } from './pair-grid.js';

export interface CounterfactualRequest {
  readonly ensemble: Ensemble;
  /** One encoded row. */
  readonly row: Float32Array;
  /** One rule per group of the ensemble. */
  readonly rules: readonly FeatureRule[];
  /** Which probability has to be reached. */
  readonly target: { readonly side: 'at-least' | 'below'; readonly threshold: number };
  /** How many to find. */
  readonly limit: number;
  /** Most combinations to look at. */
  readonly budget?: number;
}

export interface FeatureChange {
  readonly player: number;
  readonly name: string;
  /** Number, or place of the category; -1 when no category was set. */
  readonly from: number;
  readonly to: number;
}

export interface Counterfactual {
  readonly changes: readonly FeatureChange[];
  readonly probability: number;
  /** Sum of the normalised distances of the changes. */
  readonly distance: number;
  readonly row: Float32Array;
}

export interface CounterfactualResult {
  /** Fewest changes first, then nearest: the nearest for each set of features, none of which contains a smaller one. */
  readonly counterfactuals: readonly Counterfactual[];
  /** Whether everything within the limit was searched; false when the budget ended first. */
  readonly isComplete: boolean;
  /** Why there is none, or why there may be more; null otherwise. */
  readonly reason: string | null;
  readonly evaluations: number;
}

interface Search {
  readonly request: CounterfactualRequest;
  readonly candidates: readonly (readonly Candidate[])[];
  readonly found: Counterfactual[];
  readonly budget: number;
  evaluations: number;
}

const BUDGET = 500_000;

/**
 * The nearest changes of one or two features that carry a row over a threshold, within what a person can do.
 * Exhaustive over the values that trees can tell apart (see candidatesOf), unless the budget ends first.
 */
export function findCounterfactuals(request: CounterfactualRequest): CounterfactualResult {
  const { ensemble, row, rules, limit, budget = BUDGET } = request;
  if (row.length !== ensemble.width) {
    throw new AnalysisInputError(`A row has ${String(ensemble.width)} columns, not ${String(row.length)}.`);
  }
  const candidates = candidatesOf(ensemble, row, rules);
  const search: Search = { request, candidates, found: [], budget, evaluations: 0 };
  if (reaches(search, f64(ensemble.predict(row, 1).probability, 0))) {
    return finish(search, true, 'The row already is where it should be.');
  }
  if (candidates.every((list) => list.length === 0)) return finish(search, true, 'No feature may change.');
  const singles = searchSingles(search);
  if (!singles.isComplete) return finish(search, false, exhausted(budget));
  if (search.found.length >= limit) return finish(search, true, null);
  const isComplete = searchPairs(search, singles.remaining);
  if (!isComplete) return finish(search, false, exhausted(budget));
  const none = 'No change of one or two features within the constraints reaches it.';
  return finish(search, true, search.found.length === 0 ? none : null);
}

function exhausted(budget: number): string {
  return `The search stopped at ${String(budget)} combinations; what lies beyond is unknown.`;
}

function finish(search: Search, isComplete: boolean, reason: string | null): CounterfactualResult {
  const counterfactuals = search.found
    .toSorted((a, b) => a.changes.length - b.changes.length || a.distance - b.distance)
    .slice(0, search.request.limit);
  return { counterfactuals, isComplete, reason, evaluations: search.evaluations };
}

function reaches({ request: { target } }: Search, probability: number): boolean {
  return target.side === 'at-least' ? probability >= target.threshold : probability < target.threshold;
}

function changedRow({ request: { ensemble, row } }: Search, changes: readonly Candidate[]): Float32Array {
  const changed = Float32Array.from(row);
  for (const { player, value } of changes) {
    const [start, length] = ensemble.groups[player]?.columns ?? [0, 0];
    if (length > 1) {
      changed.fill(0, start, start + length);
      changed[start + value] = 1;
    } else changed[start] = value;
  }
  return changed;
}

function record(search: Search, changes: readonly Candidate[], probability: number): void {
  const { ensemble, row } = search.request;
  search.found.push({
    changes: changes.map(({ player, value }) => {
      const group = ensemble.groups[player];
      if (group === undefined) throw new AnalysisInputError(`There is no feature ${String(player)}.`);
      return { player, name: group.name, from: currentValue(group, row), to: value };
    }),
    probability,
    distance: changes.reduce((sum, { distance }) => sum + distance, 0),
    row: changedRow(search, changes),
  });
}

/** Tries every single change. What reaches the target alone is no longer needed in pairs. */
function searchSingles(search: Search): { isComplete: boolean; remaining: (readonly Candidate[])[] } {
  const { ensemble, row } = search.request;
  const remaining: (readonly Candidate[])[] = [];
  for (const list of search.candidates) {
    if (search.evaluations + list.length > search.budget) return { isComplete: false, remaining };
    search.evaluations += list.length;
    const probabilities = singleProbabilities(ensemble, row, list);
    recordNearestSingle(search, list, probabilities);
    remaining.push(list.filter((_, index) => !reaches(search, f64(probabilities, index))));
  }
  return { isComplete: true, remaining };
}

function recordNearestSingle(search: Search, list: readonly Candidate[], probabilities: Float64Array): void {
  for (const [index, candidate] of list.entries()) {
    if (!reaches(search, f64(probabilities, index))) continue;
    const probability = plainPrediction(search, [candidate]);
    if (!reaches(search, probability)) continue;
    record(search, [candidate], probability);
    return;
  }
}

/** The grids add in another order than predictions; where rounding decides, the plain prediction does. */
function plainPrediction(search: Search, changes: readonly Candidate[]): number {
  return f64(search.request.ensemble.predict(changedRow(search, changes), 1).probability, 0);
}

/**
 * Tries every pair of the changes that do not suffice alone. False when the budget ended first: the smaller grids
 * come first, so that it reaches the most features.
 */
function searchPairs(search: Search, lists: readonly (readonly Candidate[])[]): boolean {
  const pairs = lists
    .flatMap((first, index) => lists.slice(index + 1).map((second) => ({ first, second })))
    .filter(({ first, second }) => first.length > 0 && second.length > 0)
    .toSorted((a, b) => a.first.length * a.second.length - b.first.length * b.second.length);
  for (const { first, second } of pairs) {
    const cells = first.length * second.length;
    if (search.evaluations + cells > search.budget) return false;
    search.evaluations += cells;
    recordNearestPair(search, first, second);
  }
  return true;
}

function recordNearestPair(search: Search, first: readonly Candidate[], second: readonly Candidate[]): void {
  const { ensemble, row } = search.request;
  const probabilities = pairProbabilities(ensemble, row, first, second);
  for (;;) {
    const nearest = nearestPair(search, probabilities, first, second);
    const changes = [first[nearest.a], second[nearest.b]].filter((change) => change !== undefined);
    if (changes.length < 2) return;
    const probability = plainPrediction(search, changes);
    if (reaches(search, probability)) {
      record(search, changes, probability);
      return;
    }
    probabilities[nearest.a * second.length + nearest.b] = Number.NaN;
  }
}

/** Places of the nearest pair that reaches the target; -1 when none does. Both lists ascend by distance. */
function nearestPair(
  search: Search,
  probabilities: Float64Array,
  first: readonly Candidate[],
  second: readonly Candidate[],
): { a: number; b: number } {
  let nearest = { a: -1, b: -1 };
  let least = Number.POSITIVE_INFINITY;
  for (const [a, { distance }] of first.entries()) {
    for (const [b, other] of second.entries()) {
      if (distance + other.distance >= least) break;
      if (!reaches(search, f64(probabilities, a * second.length + b))) continue;
      least = distance + other.distance;
      nearest = { a, b };
    }
  }
  return nearest;
}
