import { UnsupportedModelError } from '../errors.js';
import { below32 } from '../numeric/float32.js';
import { f32, i32, u8 } from '../numeric/typed.js';
import type { EncodedColumn, EncodingStep } from '../onnx/encoded-columns.js';
import { goesLeft, type VectorForest } from './forest.js';

/*
 * Preparation moved into the splits. A split on an encoded column is a split on the input column it comes from: a
 * threshold after scaling is a threshold before it, the indicator of a category is an equality test, and what an
 * imputer does to a missing value is the side that a missing value takes. Explanations then speak of inputs, and the
 * one-hot columns of a feature are one player without being grouped.
 */

/** A split in terms of the input column. */
interface InputSplit {
  readonly threshold: number;
  readonly isEquality: boolean;
  readonly nanLeft: boolean;
  /** True when the new left child is the old right one. */
  readonly swapped: boolean;
}

/** The same trees, on the input columns. Exact for every float32 input. */
export function foldColumns(
  forest: VectorForest,
  columns: readonly EncodedColumn[],
  width: number,
): VectorForest {
  const { feature } = forest;
  const changed = {
    feature: Int32Array.from(feature),
    threshold: Float32Array.from(forest.threshold),
    isEquality: Uint8Array.from(forest.isEquality),
    nanLeft: Uint8Array.from(forest.nanLeft),
    left: Int32Array.from(forest.left),
    right: Int32Array.from(forest.right),
  };
  const alternatives = new Map<number, Float32Array>();
  for (let node = 0; node < feature.length; node += 1) {
    const at = i32(feature, node);
    const column = columns[at];
    if (at < 0) continue;
    if (column === undefined)
      throw new UnsupportedModelError(
        'trees',
        `column ${String(at)} of ${String(columns.length)} is split on.`,
      );
    changed.feature[node] = column.source;
    const others = forest.alternatives?.get(node);
    if (column.steps.length === 0) {
      if (others !== undefined) alternatives.set(node, others);
      continue;
    }
    const split = inputSplit(forest, node, column.steps);
    changed.threshold[node] = split.threshold;
    changed.isEquality[node] = split.isEquality ? 1 : 0;
    changed.nanLeft[node] = split.nanLeft ? 1 : 0;
    if (!split.swapped) continue;
    changed.left[node] = i32(forest.right, node);
    changed.right[node] = i32(forest.left, node);
  }
  return { ...forest, ...changed, alternatives, width };
}

/** The value that the scorer reads for an input. */
export function encodeValue(steps: readonly EncodingStep[], x: number): number {
  let value = x;
  for (const step of steps) {
    if (step.kind === 'category') value = value === step.value ? 1 : 0;
    else if (step.kind === 'scale') value = Math.fround(Math.fround(value - step.offset) * step.scale);
    else if (Number.isNaN(value)) value = step.value;
  }
  return value;
}

function inputSplit(forest: VectorForest, node: number, steps: readonly EncodingStep[]): InputSplit {
  const passes = (x: number): boolean => goesLeft(forest, node, encodeValue(steps, x));
  const category = steps.findIndex(({ kind }) => kind === 'category');
  if (category >= 0) return categorySplit(steps.slice(0, category), steps[category], passes);
  if (u8(forest.isEquality, node) === 1 && steps.some(({ kind }) => kind === 'scale'))
    throw new UnsupportedModelError('Scaler', 'before an equality test is not read.');
  if (u8(forest.isEquality, node) === 1) {
    if (forest.alternatives?.has(node) === true)
      throw new UnsupportedModelError('Imputer', 'before a test of a set is not read.');
    return {
      threshold: f32(forest.threshold, node),
      isEquality: true,
      nanLeft: passes(Number.NaN),
      swapped: false,
    };
  }
  const direction = steps.reduce(
    (sign, step) => (step.kind === 'scale' ? sign * Math.sign(step.scale) : sign),
    1,
  );
  return thresholdSplit(passes, direction < 0);
}

/** Passing means x is the category, x is not, or either: the indicator is 0 or 1 and nothing else. */
function categorySplit(
  before: readonly EncodingStep[],
  step: EncodingStep | undefined,
  passes: (x: number) => boolean,
): InputSplit {
  if (step?.kind !== 'category' || before.some(({ kind }) => kind === 'scale'))
    throw new UnsupportedModelError('Scaler', 'before a OneHotEncoder is not read.');
  const isMissing = encodeValue(before, Number.NaN) === step.value;
  const inside = passes(step.value);
  // Any other number stands for all other categories.
  const outside = passes(step.value === 0 ? 1 : 0);
  if (inside === outside)
    return { threshold: Number.POSITIVE_INFINITY, isEquality: false, nanLeft: true, swapped: !inside };
  return { threshold: step.value, isEquality: true, nanLeft: isMissing, swapped: !inside };
}

/** Finds the threshold by bisection over the float32 numbers in order: 32 steps, whatever the rounding. */
function thresholdSplit(passes: (x: number) => boolean, isFalling: boolean): InputSplit {
  const holds = (place: number): boolean => passes(numberAt(place)) !== isFalling;
  let low = -MOST_PLACE - 1;
  let high = MOST_PLACE + 1;
  // The test holds up to `low` and no longer from `high` on.
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (holds(middle)) low = middle;
    else high = middle;
  }
  const threshold = low < -MOST_PLACE ? below32(Number.NEGATIVE_INFINITY) : numberAt(low);
  const nanLeft = passes(Number.NaN) !== isFalling;
  return { threshold, isEquality: false, nanLeft, swapped: isFalling };
}

/** Place of infinity among the float32 numbers in order, zero being 0. */
const MOST_PLACE = 0x7f800000;
const float = new Float32Array(1);
const bits = new Int32Array(float.buffer);

function numberAt(place: number): number {
  bits[0] = Math.abs(place);
  const size = f32(float, 0);
  return place < 0 ? -size : size;
}
