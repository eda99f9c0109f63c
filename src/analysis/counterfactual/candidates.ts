import type { ColumnGroup, Ensemble } from '../ensemble/ensemble.js';
import { AnalysisInputError } from '../errors.js';
import type { Scaling } from '../linear/linear.js';
import { above32, below32 } from '../numeric/float32.js';
import { f32, f64, i32, u8 } from '../numeric/typed.js';
import type { Forest } from '../trees/forest.js';

/** What a person could do about a feature. */
export interface FeatureRule {
  readonly change: 'fixed' | 'increase' | 'decrease' | 'any';
  /** Values (or places of categories) that may be reached; without it, all within the range. */
  readonly allowed?: readonly number[];
  readonly range?: readonly [least: number, most: number];
  /** Values are multiples of this, for example 1 for whole years. */
  readonly step?: number;
  /** A change of this size counts as a distance of one. A change of category counts as one. */
  readonly scale: number;
}

/** A value that a feature could take instead: a number, or the place of a category. */
export interface Candidate {
  readonly player: number;
  readonly value: number;
  readonly distance: number;
}

/** Columns with at most this many steps are searched step by step where a linear member grades them. */
const MOST_STEPS = 256;

/**
 * The values worth trying for each feature, nearest first. Trees see a number only through the interval between
 * two thresholds, so one value per interval is enough: the end nearest to what the person has today. Where a
 * linear member reads the column too, every step is tried, or both ends of each interval when there are too many.
 */
export function candidatesOf(
  ensemble: Ensemble,
  row: Float32Array,
  rules: readonly FeatureRule[],
): Candidate[][] {
  if (rules.length !== ensemble.groups.length) {
    throw new AnalysisInputError(
      `There are ${String(rules.length)} rules for ${String(ensemble.groups.length)} features.`,
    );
  }
  return ensemble.groups.map((group, player) => {
    const rule = rules[player];
    if (rule === undefined || rule.change === 'fixed') return [];
    if (!(rule.scale > 0)) throw new AnalysisInputError(`The scale of '${group.name}' must be positive.`);
    const found =
      group.columns[1] > 1 ? otherCategories(group, row) : otherValues(ensemble, group.columns[0], row, rule);
    const current = currentValue(group, row);
    return found
      .filter((value) => isPossible(value, current, rule))
      .map((value) => ({ player, value, distance: distanceOf(group, rule, current, value) }))
      .sort((a, b) => a.distance - b.distance);
  });
}

/** The value of a feature in a row: the number, or the place of the category that is set (-1 for none). */
export function currentValue({ columns: [start, length] }: ColumnGroup, row: Float32Array): number {
  if (length === 1) return f32(row, start);
  return row.subarray(start, start + length).findIndex((value) => value !== 0);
}

function distanceOf(
  { columns: [, length] }: ColumnGroup,
  rule: FeatureRule,
  from: number,
  to: number,
): number {
  return length > 1 ? 1 : Math.abs(to - from) / rule.scale;
}

function isPossible(value: number, current: number, { change, allowed, range }: FeatureRule): boolean {
  // A missing value cannot be said to move, and NaN compares as false with everything.
  const isUp = value > current;
  const isDown = value < current;
  const isAllowedMove = (isUp && change !== 'decrease') || (isDown && change !== 'increase');
  if (!Number.isFinite(value) || !isAllowedMove) return false;
  const [least, most] = range ?? [value, value];
  return value >= least && value <= most && (allowed === undefined || allowed.includes(value));
}

function otherCategories({ columns: [start, length] }: ColumnGroup, row: Float32Array): number[] {
  const set = row.subarray(start, start + length).filter((value) => value !== 0).length;
  return set > 1 ? [] : Array.from({ length }, (_, place) => place);
}

function otherValues(ensemble: Ensemble, column: number, row: Float32Array, rule: FeatureRule): number[] {
  if (rule.allowed !== undefined) return rule.allowed.map(Math.fround);
  const graded = ensemble.members.some(
    ({ member: { model } }) => model.kind === 'linear' && f64(model.weights, column) !== 0,
  );
  if (graded && rule.range !== undefined && rule.step !== undefined) {
    const [least, most] = rule.range;
    const steps = Math.floor((most - least) / rule.step) + 1;
    if (steps <= MOST_STEPS)
      return Array.from({ length: steps }, (_, index) => Math.fround(least + index * (rule.step ?? 1)));
  }
  return intervalEnds(cutsOf(ensemble, column), f32(row, column), rule, graded);
}

/** Thresholds of a column over all trees, ascending; an equality test cuts on both sides of its value. */
function cutsOf(ensemble: Ensemble, column: number): number[] {
  const cuts = new Set<number>();
  for (const { member } of ensemble.members) {
    if (member.model.kind === 'trees') addCuts(member.model, column, member.scaling, cuts);
  }
  return [...cuts].filter(Number.isFinite).sort((a, b) => a - b);
}

function addCuts(forest: Forest, column: number, scaling: Scaling | null, cuts: Set<number>): void {
  for (let node = 0; node < forest.feature.length; node += 1) {
    if (i32(forest.feature, node) !== column) continue;
    const isEquality = u8(forest.isEquality, node) === 1;
    addCut(f32(forest.threshold, node), isEquality, column, scaling, cuts);
    for (const value of forest.alternatives?.get(node) ?? []) addCut(value, true, column, scaling, cuts);
  }
}

function addCut(
  threshold: number,
  isEquality: boolean,
  column: number,
  scaling: Scaling | null,
  cuts: Set<number>,
): void {
  const cut = scaling === null ? threshold : unscaled(threshold, scaling, column);
  cuts.add(cut);
  if (isEquality || scaling !== null) cuts.add(below32(cut));
  // Scaling rounds: the true cut may lie one float beside the one computed back.
  if (scaling !== null) cuts.add(above32(cut));
}

function unscaled(threshold: number, { offset, scale }: Scaling, column: number): number {
  return Math.fround(threshold / f32(scale, column) + f32(offset, column));
}

/** For every interval ]low, high] between cuts its end nearest to x, and the far one where the column is graded. */
function intervalEnds(cuts: readonly number[], x: number, rule: FeatureRule, graded: boolean): number[] {
  const edges = [Number.NEGATIVE_INFINITY, ...cuts, Number.POSITIVE_INFINITY];
  const [least, most] = rule.range ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  const ends = new Set<number>();
  for (let index = 1; index < edges.length; index += 1) {
    const low = Math.max(least, above32(edges[index - 1] ?? Number.NaN));
    const high = Math.min(most, edges[index] ?? Number.NaN);
    const bottom = snap(low, rule.step, Math.ceil);
    const top = snap(high, rule.step, Math.floor);
    if (!(bottom <= top)) continue;
    if (bottom > x || graded) ends.add(bottom);
    if (top < x || graded) ends.add(top);
  }
  return [...ends];
}

/** The multiple of the step next to a value, as the float32 that the models read. */
function snap(value: number, step: number | undefined, round: (value: number) => number): number {
  return step === undefined || !Number.isFinite(value) ? value : Math.fround(round(value / step) * step);
}
