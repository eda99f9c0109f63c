import { Client } from 'pg';
import { beforeAll, describe, expect, test } from 'vitest';
import { openKernel, type Kernel } from '../testing/kernel.js';
import { canonicalBytes, leafHashOf } from './audit.js';

let kernel: Kernel;
beforeAll(async () => {
  kernel = await openKernel();
});

describe('the trail', () => {
  const inServer = async (statement: string, values: unknown[] = []): Promise<void> => {
    const client = new Client({ connectionString: kernel.databaseUrl });
    await client.connect();
    try {
      await client.query(statement, values);
    } finally {
      await client.end();
    }
  };

  test.each([
    ['updated', `update audit_event set command = 'x'`],
    ['deleted', 'delete from audit_event'],
    ['truncated', 'truncate audit_event'],
  ])('is not %s, not even by the owner of the tables', async (_, statement) => {
    await kernel.thing();

    await expect(inServer(statement)).rejects.toThrow('append-only');
    await expect(inServer(`set session_replication_role = replica; ${statement}`)).rejects.toThrow(
      'append-only',
    );
  });
});

describe('canonical bytes (RFC 8785)', () => {
  // The examples of the RFC: sections 3.2.2 and 3.2.3, and the numbers of appendix B.
  test('are those of the RFC for literals, numbers and strings', () => {
    const value = {
      numbers: [Number('333333333.33333329'), 1e30, 4.5, 2e-3, 0.000000000000000000000000001],
      string: '\u20ac$\u000F\u000aA\'\u0042\u0022\u005c\\"/',
      literals: [null, true, false],
    };

    expect(canonicalBytes(value)).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],' +
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    );
  });

  test('sort names by UTF-16 code units, not by code points', () => {
    const names = ['\u20ac', '\r', '\ufb33', '1', '\ud83d\ude00', '\u0080', '\u00f6'];
    const value = Object.fromEntries(names.map((name) => [name, name.length]));

    const sorted = Object.keys(JSON.parse(canonicalBytes(value).replace(/"1"/, '"one"')) as object);

    expect(sorted).toEqual(['\r', 'one', '\u0080', '\u00f6', '\u20ac', '\ud83d\ude00', '\ufb33']);
  });

  test.each([
    [0, '0'],
    [-0, '0'],
    [5e-324, '5e-324'],
    [-5e-324, '-5e-324'],
    [1.7976931348623157e308, '1.7976931348623157e+308'],
    [9007199254740992, '9007199254740992'],
    [295147905179352830000, '295147905179352830000'],
    [9.999999999999997e22, '9.999999999999997e+22'],
    [1e23, '1e+23'],
    [1.0000000000000001e23, '1.0000000000000001e+23'],
    [999999999999999700000, '999999999999999700000'],
    [1e21, '1e+21'],
    [9.999999999999997e-7, '9.999999999999997e-7'],
    [0.000001, '0.000001'],
    [333333333.3333332, '333333333.3333332'],
    [Number('-0.0000033333333333333333'), '-0.0000033333333333333333'],
    [Number('1424953923781206.2'), '1424953923781206.2'],
  ])('write the number %s as the RFC does', (value, text) => {
    expect(canonicalBytes(value)).toBe(text);
  });

  test('write dates as JSON does, leave out what is undefined, and refuse half of a character', () => {
    expect(canonicalBytes({ b: new Date(0), a: undefined })).toBe('{"b":"1970-01-01T00:00:00.000Z"}');
    expect(() => canonicalBytes({ text: '\ud800' })).toThrow();
    expect(() => canonicalBytes(undefined)).toThrow();
  });

  test('give the leaf hash of RFC 9162: the hash of an empty leaf is known', () => {
    expect(leafHashOf(Buffer.alloc(0)).toString('hex')).toBe(
      '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
    );
  });
});
