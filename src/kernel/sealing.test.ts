import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { openKernel, type Kernel } from '../testing/kernel.js';
import type { Tx } from './db.js';
import { decrypt, encrypt, keysOf, sealerIn, unsealerOver } from './sealing.js';

const key = randomBytes(32);
const flip = (sealed: string, at: number): string => {
  const [version = '', body = ''] = sealed.split('.');
  const bytes = Buffer.from(body, 'base64url');
  const index = at % bytes.length;
  bytes[index] = (bytes[index] ?? 0) ^ 1;
  return `${version}.${bytes.toString('base64url')}`;
};

describe('a sealed value', () => {
  test('opens to what was sealed, with the same key at the same place', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.string(), (value, place) => {
        const plain = JSON.parse(JSON.stringify(value)) as unknown;
        expect(decrypt(key, place, encrypt(key, place, value))).toEqual(plain);
      }),
    );
  });

  test('does not open at another place, with another key, or when one bit of it is another', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.nat(), (place, other, at) => {
        fc.pre(place !== other);
        const sealed = encrypt(key, place, { secret: 'value' });
        expect(() => decrypt(key, other, sealed)).toThrow();
        expect(() => decrypt(randomBytes(32), place, sealed)).toThrow();
        expect(() => decrypt(key, place, flip(sealed, at))).toThrow();
      }),
    );
  });

  test('does not open when it was cut, however short the rest is', () => {
    const sealed = encrypt(key, 'place', 'value');
    for (let length = 0; length < sealed.length; length += 1) {
      expect(() => decrypt(key, 'place', sealed.slice(0, length))).toThrow();
    }
  });

  test('never looks the same twice', () => {
    const all = Array.from({ length: 100 }, () => encrypt(key, 'place', 'value'));
    expect(new Set(all).size).toBe(100);
  });
});

describe('the keys of persons', () => {
  let kernel: Kernel;
  beforeAll(async () => {
    kernel = await openKernel();
  });

  const within = <T>(
    work: (tx: Tx) => Promise<T>,
    workspaceId: string | null = kernel.workspaceId,
  ): Promise<T> => {
    const role = workspaceId === null ? 'app_system' : 'app_writer';
    return kernel.db.transact(role, { workspaceId, organizationId: null, commandId: null }, work);
  };
  const seal = (person: string, workspaceId?: string | null): Promise<string> =>
    within((tx) => sealerIn(tx, kernel.keyring).seal(person, 'place', 'secret'), workspaceId);
  const open = (person: string, sealed: string, workspaceId?: string | null): Promise<unknown> =>
    within((tx) => unsealerOver(tx, kernel.keyring).unseal(person, 'place', sealed), workspaceId);
  const erase = (person: string): Promise<void> =>
    kernel.asOwner(
      `alter table subject_key disable trigger audited;
       update subject_key set wrapped_key = null, erased_at = now() where subject_id = '${person}' and workspace_id is not null;
       alter table subject_key enable trigger audited`,
    );

  test('are made at the first use, once, also by many at the same time', async () => {
    const sealed = await Promise.all(Array.from({ length: 4 }, () => seal('ann')));

    for (const value of sealed) expect(await open('ann', value)).toBe('secret');
    expect(await kernel.rows(`select 1 from subject_key where subject_id = 'ann'`)).toHaveLength(1);
  });

  test('are wrapped: what the database holds does not open anything', async () => {
    const sealed = await seal('wrapped');
    const [row] = await kernel.rows(`select wrapped_key from subject_key where subject_id = 'wrapped'`);

    const stored = row?.['wrapped_key'] as Buffer;
    expect(() => decrypt(stored.subarray(-48, -16), 'place', sealed)).toThrow();
  });

  test('are others in another workspace and above workspaces, also for the system, which sees all of them', async () => {
    const here = await seal('bob');
    const above = await seal('bob', null);
    const elsewhere = crypto.randomUUID();

    expect(await open('bob', here, elsewhere)).toBeNull();
    expect(await open('bob', above, null)).toBe('secret');
    await expect(open('bob', here, null)).rejects.toThrow();

    await erase('bob');
    expect(await open('bob', here)).toBeNull();
    expect(await open('bob', above, null)).toBe('secret');
    expect(await open('bob', await seal('bob', null), null)).toBe('secret');
  });

  test('of many persons are read and made in one go; a person who was erased is refused, and left out of reads', async () => {
    const persons = Array.from({ length: 300 }, (_, index) => `many-${String(index)}`);
    await seal('many-7');

    const keys = await within((tx) => keysOf(tx, kernel.keyring, [...persons, ...persons]));
    const again = await within((tx) => unsealerOver(tx, kernel.keyring).keysOf(persons));

    expect(keys.size).toBe(300);
    for (const person of persons) expect(again.get(person)?.equals(keys.get(person) ?? key)).toBe(true);
    await erase('many-7');
    const refused = within((tx) => keysOf(tx, kernel.keyring, persons));
    await expect(refused).rejects.toMatchObject({ code: 'CONFLICT', details: { rule: 'erased-subject' } });
    const left = await within((tx) => unsealerOver(tx, kernel.keyring).keysOf(persons));
    expect([left.size, left.has('many-7')]).toEqual([299, false]);
  });
});
