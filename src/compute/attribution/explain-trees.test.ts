import { afterAll, expect, test } from 'vitest';

import { createTreeExplainer } from '../../analysis/index.js';
import { asVector } from '../../analysis/trees/forest.js';
import { randomForest, randomMatrix } from '../../analysis/trees/random-forest.fixture.js';
import { openCompute } from '../index.js';
import { explainTrees } from './explain-trees.js';

const compute = openCompute({ threads: 3 });
afterAll(() => compute.close());

const WIDTH = 9;
const groups = Array.from({ length: WIDTH }, (_, column) => ({
  name: String(column),
  columns: [column, 1] as const,
}));

test.each(['interventional', 'path-dependent'] as const)(
  'two threads give what one gives, to the last bit (%s)',
  async (kind) => {
    const shape = { trees: 21, depth: 6, width: WIDTH, seed: 5, equality: 0.2, membership: 0.5 };
    const forest = asVector(randomForest(shape));
    const background = randomMatrix(30, WIDTH, 6);
    const request = { forest, groups, kind, background, method: 'tables' } as const;
    const matrix = randomMatrix(3000, WIDTH, 7);
    const one = createTreeExplainer(request).explain(matrix);
    const two = await explainTrees(compute, request, matrix, { threads: 2, timeoutMs: 60_000 });
    const bytes = (values: Float64Array): Buffer => Buffer.from(values.buffer);
    expect(two.rows).toBe(3000);
    expect(bytes(two.values).equals(bytes(one.values))).toBe(true);
    expect(bytes(two.margins).equals(bytes(one.margins))).toBe(true);
  },
);

test('a few rows are not worth a thread, and no rows are nothing', async () => {
  const forest = asVector(randomForest({ trees: 3, depth: 4, width: WIDTH, seed: 5 }));
  const request = { forest, groups, kind: 'interventional', background: randomMatrix(3, WIDTH, 6) } as const;
  const few = { ...request, expectedRows: 1 } as const;
  const options = { threads: 2, timeoutMs: 60_000 };
  expect((await explainTrees(compute, few, randomMatrix(2, WIDTH, 1), options)).rows).toBe(2);
  const none = await explainTrees(compute, { ...request, method: 'tables' }, new Float32Array(0), options);
  expect(none.values).toHaveLength(0);
});
