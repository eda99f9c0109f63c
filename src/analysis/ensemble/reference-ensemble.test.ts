import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';

import { createExplainer } from '../attribution/explain.js';
import { enumerateShapley } from '../attribution/enumeration.fixture.js';
import { probeRows } from './probes.js';
import { readReferenceEnsemble } from './reference-ensemble.fixture.js';

describe.each(['1.0.0', '1.1.0'])('the reference ensemble %s', (version) => {
  const { manifest, ensemble, background, golden, bytesOf } = readReferenceEnsemble(version);
  const width = ensemble.width;
  const examples = Float32Array.from(golden.flatMap(({ features }) => features));

  test('predicts what its golden file says, member by member', () => {
    const { members, vote, probability } = ensemble.predict(examples, golden.length);
    golden.forEach((example, row) => {
      manifest.members.forEach(({ name }, member) => {
        expect(
          Math.abs((members[member]?.[row] ?? Number.NaN) - (example.members[name] ?? Number.NaN)),
        ).toBeLessThan(1e-5);
      });
      expect(Math.abs((vote[row] ?? Number.NaN) - example.vote)).toBeLessThan(1e-5);
      expect(Math.abs((probability[row] ?? Number.NaN) - example.probability)).toBeLessThan(1e-5);
    });
  });

  test.each(manifest.members)(
    'agrees with onnxruntime on every split of $name within 1e-5',
    async (member) => {
      const own = ensemble.members[manifest.members.indexOf(member)]?.member;
      if (own === undefined) throw new Error('member missing');
      const probes = probeRows(own, background, 4096);
      const rows = probes.length / width;
      expect(rows).toBeGreaterThanOrEqual(100);
      const session = await InferenceSession.create(bytesOf(member.file));
      const feeds = { [member.input]: new Tensor('float32', probes, [rows, width]) };
      const { data, dims } = (await session.run(feeds, [member.output]))[member.output] ?? {};
      expect(dims).toEqual([rows, 2]);
      const ours = own.predict(probes, rows);
      const worst = ours.reduce(
        (most, value, row) => Math.max(most, Math.abs(value - Number(data?.[2 * row + 1]))),
        0,
      );
      expect(worst).toBeLessThan(1e-5);
    },
  );

  test('is explained as the enumeration with onnxruntime in its golden file', () => {
    const explained = golden.filter(({ shapley }) => shapley !== undefined);
    expect(explained.length).toBeGreaterThanOrEqual(5);
    const matrix = Float32Array.from(explained.flatMap(({ features }) => features));
    const explanation = createExplainer(ensemble, background).explain(matrix);
    explained.forEach(({ shapley }, row) => {
      if (shapley === undefined) return;
      const { probability } = shapley;
      expect(Math.abs(explanation.base - probability.base)).toBeLessThan(1e-5);
      explanation.players.forEach((player, index) => {
        const value = explanation.values[row * explanation.players.length + index] ?? Number.NaN;
        expect(Math.abs(value - (probability.values[player] ?? Number.NaN))).toBeLessThan(1e-5);
      });
    });
  });

  test('is explained as our own enumeration to twelve digits', () => {
    const sample = background.subarray(0, 25 * width);
    const explanation = createExplainer(ensemble, sample).explain(examples.subarray(0, 4 * width));
    for (let row = 0; row < 4; row += 1) {
      const wanted = enumerateShapley(ensemble, examples.subarray(row * width, (row + 1) * width), sample);
      for (const [player, value] of wanted.entries()) {
        expect(explanation.values[row * wanted.length + player]).toBeCloseTo(value, 12);
      }
    }
  });
});
