import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { AppError, errorCodes, httpStatus, notFound } from './errors.js';
import { newId } from './id.js';
import { parseInput } from './input.js';
import { cursorOf, pageInput, pageOf, readCursor, type KeyPart } from './page.js';

const codeOf = (work: () => unknown): string => {
  try {
    work();
    return 'none';
  } catch (error) {
    return error instanceof AppError ? error.code : 'a bug';
  }
};

describe('a cursor', () => {
  test('gives back the key that it was made of', () => {
    fc.assert(
      fc.property(
        fc.integer(),
        fc.date({ min: new Date(0), max: new Date('9999-12-31'), noInvalidDate: true }),
        (number, date) => {
          const whole = [number, date.toISOString(), newId()];
          expect(readCursor(cursorOf(whole), 'number', 'time')).toEqual(whole);
        },
      ),
    );
  });

  test('that no list gave is refused, whatever it is', () => {
    fc.assert(
      fc.property(fc.string(), fc.subarray<KeyPart>(['number', 'time']), (text, parts) => {
        expect(codeOf(() => readCursor(text, ...parts))).toBe('INVALID_INPUT');
      }),
    );
  });

  test.each([
    ['of a list with another order', [newId()], ['number']],
    ['whose id is none', ['x'], []],
    ['whose id is a number', [7], []],
    ['with a text for a number', ['x', newId()], ['number']],
    ['with a fraction', [1.5, newId()], ['number']],
    ['with a number that no column holds', [1e30, newId()], ['number']],
    ['with a word for a time', ['now', newId()], ['time']],
    ['with a time that JavaScript alone reads', ['1', newId()], ['time']],
    ['with a time of the year 0', ['0000-01-01T00:00:00.000Z', newId()], ['time']],
    ['with a time after the year 9999', ['+275760-09-13T00:00:00.000Z', newId()], ['time']],
  ] as const)('%s is refused', (_, key, parts) => {
    expect(codeOf(() => readCursor(cursorOf(key), ...parts))).toBe('INVALID_INPUT');
  });

  test('is absent at the start', () => {
    expect([readCursor(null), readCursor(undefined)]).toEqual([null, null]);
  });
});

describe('a page', () => {
  const rows = [1, 2, 3].map((value) => ({ id: newId(), value }));

  test('has as many rows as were asked for and knows whether more follow', () => {
    const first = pageOf(
      rows,
      { first: 2 },
      (row) => [row.id],
      (row) => row.value,
    );
    const all = pageOf(
      rows,
      { first: 3 },
      (row) => [row.id],
      (row) => row.value,
    );
    const none = pageOf(
      [],
      { first: 3 },
      () => [newId()],
      () => 0,
    );

    expect(first).toMatchObject({ nodes: [1, 2], pageInfo: { hasNextPage: true } });
    expect(readCursor(first.pageInfo.endCursor)).toEqual([rows[1]?.id]);
    expect(all).toMatchObject({ nodes: [1, 2, 3], pageInfo: { hasNextPage: false } });
    expect(none).toEqual({ nodes: [], pageInfo: { hasNextPage: false, endCursor: null } });
  });

  test.each([0, -1, 201, 1.5])('of %s rows is refused', (first) => {
    expect(codeOf(() => parseInput(z.object(pageInput), { first }))).toBe('INVALID_INPUT');
  });
});

describe('an input', () => {
  test.each([
    ['half a character', { a: { b: ['fine', 'x\ud800'] } }, 'a.b.1'],
    ['a NUL', { name: 'a\0b' }, 'name'],
    ['a NUL in a name', { map: { 'a\0': 1 } }, 'map'],
  ])('with %s is refused where it stands', (_, input, path) => {
    expect(() => parseInput(z.unknown(), input)).toThrow(
      expect.objectContaining({
        code: 'INVALID_INPUT',
        details: { fields: [{ path, message: 'holds a character that cannot be stored' }] },
      }),
    );
  });

  test('that is nested without end is refused', () => {
    const deep = JSON.parse(`{"a":${'['.repeat(60_000)}${']'.repeat(60_000)}}`) as unknown;

    expect(() => parseInput(z.unknown(), deep)).toThrow(
      expect.objectContaining({
        code: 'INVALID_INPUT',
        details: { fields: [{ path: 'a.0.0', message: 'is nested deeper than 64 levels' }] },
      }),
    );
  });

  test('names every field at fault', () => {
    const schema = z.object({ a: z.string(), b: z.object({ c: z.int() }) });

    expect(() => parseInput(schema, { b: { c: 'x' } })).toThrow(
      expect.objectContaining({
        details: {
          fields: [expect.objectContaining({ path: 'a' }), expect.objectContaining({ path: 'b.c' })],
        },
      }),
    );
  });

  test('is parsed, with everything else than those characters let through', () => {
    expect(parseInput(z.object({ text: z.string() }), { text: '😀 é \n' })).toEqual({ text: '😀 é \n' });
  });
});

describe('an error', () => {
  test('of every code has a status of HTTP, and only a bug is ours', () => {
    const statuses = errorCodes.map(httpStatus);

    expect(statuses.every((status) => status >= 400)).toBe(true);
    expect(errorCodes.filter((code) => httpStatus(code) >= 500)).toEqual(['INTERNAL']);
  });

  test('says the same of what is absent and of what is not for your eyes', () => {
    expect(notFound('The model')).toMatchObject({
      code: 'NOT_FOUND',
      message: 'The model was not found in this workspace',
      details: {},
    });
  });
});
