import { AnalysisInputError } from '../errors.js';
import { above32 } from '../numeric/float32.js';
import { f32, i32 } from '../numeric/typed.js';
import type { Forest } from '../trees/forest.js';
import type { Member } from './member.js';

/**
 * Rows that show whether another runtime reads a member as we do: the background itself, then background rows with
 * one column moved onto a threshold and one step above it, for thresholds spread evenly over the trees, and a
 * missing value per column where trees read it. At most `limit` rows, row-major.
 */
export function probeRows(member: Member, background: Float32Array, limit: number): Float32Array {
  const { width, model } = member;
  const rows = background.length / width;
  if (!Number.isInteger(rows) || rows === 0) {
    throw new AnalysisInputError(`Probes need background rows of ${String(width)} columns.`);
  }
  // Thresholds lie behind the scaling, where inputs do not.
  const changes = model.kind === 'trees' && member.scaling === null ? probeChanges(model) : [];
  const room = Math.max(0, limit - rows);
  const step = Math.max(1, changes.length / Math.max(1, room));
  const chosen: (readonly [number, number])[] = [];
  for (let at = 0; at < changes.length && chosen.length < room; at += step) {
    const change = changes[Math.floor(at)];
    if (change !== undefined) chosen.push(change);
  }
  const kept = Math.min(rows, limit);
  const probes = new Float32Array((kept + chosen.length) * width);
  probes.set(background.subarray(0, kept * width));
  chosen.forEach(([column, value], index) => {
    const source = (index % rows) * width;
    const target = (kept + index) * width;
    probes.set(background.subarray(source, source + width), target);
    probes[target + column] = value;
  });
  return probes;
}

function probeChanges(forest: Forest): (readonly [column: number, value: number])[] {
  const changes: (readonly [number, number])[] = [];
  const seen = new Set<string>();
  const columns = new Set<number>();
  for (let node = 0; node < forest.feature.length; node += 1) {
    const column = i32(forest.feature, node);
    const threshold = f32(forest.threshold, node);
    const key = `${String(column)}:${String(threshold)}`;
    if (column < 0 || seen.has(key)) continue;
    seen.add(key);
    columns.add(column);
    changes.push([column, threshold], [column, above32(threshold)]);
  }
  for (const column of columns) changes.push([column, Number.NaN]);
  return changes;
}
