import { describe, expect, test } from 'vitest';
import { aliasName, foldName, matchesPattern, modelName, pathFault } from './names.js';

describe('two names are one when a reader could take them for each other', () => {
  test.each([
    ['another case', 'Champion'],
    ['full-width letters', 'ｃhampion'],
    ['spaces around', ' champion '],
    ['a Cyrillic letter', 'сhampion'],
    ['Greek letters', 'champιοn'],
    ['a letter of another style', '𝓬hampion'],
    ['an invisible letter', 'cham\u200Bpion'],
    ['a soft hyphen', 'cham\u00ADpion'],
    ['a Turkish dotless i', 'champıon'],
  ])('%s', (_, name) => {
    expect(foldName(name)).toBe('champion');
  });

  test('and not otherwise', () => {
    expect(foldName('champions')).not.toBe('champion');
    expect(foldName('STRASSE')).toBe(foldName('straße'));
    expect(foldName('model 1')).not.toBe(foldName('model 2'));
  });
});

test.each([
  ['champion', 'champion', true],
  ['CHAMPION', 'champion', true],
  ['champion-eu', 'champion*', true],
  ['prod/eu/champion', 'prod/*/champion', true],
  ['champion', 'prod*', false],
  ['ab', 'ab*b', false],
  ['anything', '*', true],
  ['challenger', 'champion', false],
])('%s fits the pattern %s: %s', (name, pattern, fits) => {
  expect(matchesPattern(name, pattern)).toBe(fits);
});

describe('a name is refused', () => {
  test.each([
    ['empty', ''],
    ['only spaces', '   '],
    ['a line break', 'a\nb'],
    ['an invisible letter', 'a\u200Bb'],
    ['text that runs backwards', 'a\u202Eb'],
    ['too long', 'x'.repeat(201)],
  ])('%s', (_, name) => {
    expect(modelName.safeParse(name).success).toBe(false);
    expect(aliasName.safeParse(name).success).toBe(false);
  });

  test.each(['latest', 'Latest', 'v1', 'V12', '7'])('%s as an alias, since it reads as a version', (name) => {
    expect(aliasName.safeParse(name).success).toBe(false);
  });
});

test('a name is kept in one Unicode form', () => {
  expect(modelName.parse(' Cafe\u0301 ')).toBe('Caf\u00e9');
});

test.each([
  ['a.onnx', null],
  ['data/adult.csv.gz', null],
  ['', 'characters'],
  ['x'.repeat(301), 'characters'],
  ['/etc/passwd', 'relative'],
  ['C:/x', 'relative'],
  ['../x', '..'],
  ['a/../../x', '..'],
  ['a//b', 'empty'],
  ['a/./b', '..'],
  ['a\\b', 'backslashes'],
  ['a\u0000b', 'control'],
  ['a\nb', 'control'],
])('the path %j is judged %s', (path, fault) => {
  if (fault === null) expect(pathFault(path)).toBeNull();
  else expect(pathFault(path)).toContain(fault);
});
