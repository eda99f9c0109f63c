import { expect, test } from 'vitest';
import { keyOf, nextStep } from './run.js';

const done = (...places: [seq: number, iteration: number, output?: object][]) =>
  new Map(places.map(([seq, iteration, output = {}]) => [keyOf({ seq, iteration }), output]));

const scored = done([1, 0], [2, 0], [3, 0]);
const revised = new Map([...scored, ...done([4, 0], [5, 0, { verdict: 'REVISE' }])]);

test.each([
  ['a fresh run', new Map(), { seq: 1, iteration: 0 }],
  ['a run that was scored', done([1, 0], [2, 0]), { seq: 3, iteration: 0 }],
  ['a run whose action is chosen', scored, { seq: 4, iteration: 0 }],
  ['a run that the critic sent back', revised, { seq: 4, iteration: 1 }],
  ['a run that was explained anew', new Map([...revised, ...done([4, 1])]), { seq: 5, iteration: 1 }],
  ['a run that is final', new Map([...scored, ...done([4, 0], [5, 0, { verdict: 'FINAL' }])]), null],
])('%s goes on where it stopped', (_, outputs, next) => {
  expect(nextStep(outputs, null)).toEqual(next);
});
