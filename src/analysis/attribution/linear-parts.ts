import type { Ensemble } from '../ensemble/ensemble.js';
import { applyScaling } from '../linear/linear.js';
import { addTo, f32, f64, i32 } from '../numeric/typed.js';

/**
 * What each player adds to the margin of each linear member, for one row: `parts[m * players + p]`.
 * `owner` is the player of every column.
 */
export function linearParts(ensemble: Ensemble, owner: Int32Array, row: Float32Array): Float64Array {
  const players = ensemble.groups.length;
  const parts = new Float64Array(ensemble.members.length * players);
  ensemble.members.forEach(({ member: { model, scaling } }, index) => {
    if (model.kind !== 'linear') return;
    const input = scaling === null ? row : applyScaling(scaling, row, 1);
    for (let column = 0; column < model.width; column += 1) {
      addTo(parts, index * players + i32(owner, column), f64(model.weights, column) * f32(input, column));
    }
  });
  return parts;
}
