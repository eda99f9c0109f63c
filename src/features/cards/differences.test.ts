import { expect, test } from 'vitest';
import { canonicalBytes } from '../../kernel/audit.js';
import { sentencesOf } from './differences.js';

test('a long value is cut between characters, so that the sentence can be hashed and exported', () => {
  const side = (value: string) => ({ value, source: 'ATTESTED' as const, by: null, at: null });
  for (const shift of [0, 1]) {
    const to = side('x'.repeat(shift) + '🦜'.repeat(200));
    const [one] = sentencesOf([{ name: 'n', label: 'l', governed: true, from: side('a'), to }]);

    expect(one?.change.endsWith('…')).toBe(true);
    expect(canonicalBytes(one)).toContain('from a to');
  }
});
