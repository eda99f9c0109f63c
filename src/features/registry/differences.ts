import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';

/** What became of an entry from one version to the other. */
export const entryChange = z.enum(['ADDED', 'REMOVED', 'CHANGED']).meta({ id: 'EntryChange' });

/** One entry that is not the same in both. */
export interface ComparedEntry {
  readonly name: string;
  readonly change: z.output<typeof entryChange>;
  readonly from: unknown;
  readonly to: unknown;
}

/** Entries of one kind, held against each other by name. */
export interface Compared {
  readonly differences: readonly ComparedEntry[];
  readonly unchanged: number;
}

type Entries = Readonly<Record<string, unknown>>;

const changeOf = (
  name: string,
  before: ReadonlyMap<string, unknown>,
  after: ReadonlyMap<string, unknown>,
): ComparedEntry => {
  const change = !before.has(name) ? 'ADDED' : after.has(name) ? 'CHANGED' : 'REMOVED';
  return { name, change, from: before.get(name) ?? null, to: after.get(name) ?? null };
};

/** Holds the entries of two versions against each other, by name. */
export const compareEntries = (from: Entries, to: Entries): Compared => {
  const before = new Map(Object.entries(from));
  const after = new Map(Object.entries(to));
  const names = [...new Set([...before.keys(), ...after.keys()])].sort();
  const same = (name: string): boolean =>
    before.has(name) && after.has(name) && isDeepStrictEqual(before.get(name), after.get(name));
  const differing = names.filter((name) => !same(name));
  return {
    differences: differing.map((name) => changeOf(name, before, after)),
    unchanged: names.length - differing.length,
  };
};
