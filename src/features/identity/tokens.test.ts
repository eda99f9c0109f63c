import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hashOf, hasTokenForm, newToken } from './tokens.js';

test('a token says whose it is, is never the same twice, and is kept as a hash only', () => {
  const [one, two] = [newToken('sa'), newToken('sa')];

  expect(one.secret).toMatch(/^csn_sa_[0-9A-Za-z]{36}$/);
  expect(newToken('pt').secret).toMatch(/^csn_pt_/);
  expect(one.secret).not.toBe(two.secret);
  expect(one.secret.startsWith(one.prefix)).toBe(true);
  expect(one.hash).toEqual(hashOf(one.secret));
});

test('every token that is made has a right checksum', () => {
  for (let made = 0; made < 500; made += 1) expect(hasTokenForm(newToken('pt').secret)).toBe(true);
});

test('one wrong sign anywhere is told without a query', () => {
  const { secret } = newToken('sa');
  const place = fc.integer({ min: 'csn_sa_'.length, max: secret.length - 1 });
  const signs = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
  const sign = fc.nat({ max: signs.length - 1 }).map((index) => signs.charAt(index));
  fc.assert(
    fc.property(place, sign, (at, other) => {
      fc.pre(secret.charAt(at) !== other);
      return !hasTokenForm(secret.slice(0, at) + other + secret.slice(at + 1));
    }),
  );
});

test.each([
  '',
  'csn_sa_',
  'csn_xx_' + 'a'.repeat(36),
  `${newToken('sa').secret}a`,
  ` ${newToken('sa').secret}`,
  'eyJhbGciOi',
])('%j is no token', (text) => {
  expect(hasTokenForm(text)).toBe(false);
});
