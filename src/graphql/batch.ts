import type { Context } from './context.js';

/** Reads what belongs to many keys at once; keys without a result are absent. */
export type ReadMany<Value> = (keys: readonly string[]) => Promise<ReadonlyMap<string, Value>>;

interface Waiting<Value> {
  readonly keys: Set<string>;
  readonly result: Promise<ReadonlyMap<string, Value>>;
}

/** How many keys one read is given. */
const mostKeys = 200;

/**
 * Reads a nested field for all rows of a list in one go: the keys that are asked for within one turn of the event
 * loop are read together, once per request. `name` tells the fields of a request apart.
 */
export const batched = async <Value>(
  { loaders }: Context,
  name: string,
  key: string,
  readMany: ReadMany<Value>,
): Promise<Value | undefined> => {
  const open = loaders.get(name) as Waiting<Value> | undefined;
  if (open && (open.keys.has(key) || open.keys.size < mostKeys)) {
    open.keys.add(key);
    return (await open.result).get(key);
  }
  const keys = new Set([key]);
  const result = new Promise<void>((resolve) => {
    // After the promises of this turn, so that every row of the list has asked.
    setImmediate(resolve);
  }).then(() => {
    // Whoever asks from now on is read in the next batch.
    if (loaders.get(name) === waiting) loaders.delete(name);
    return readMany([...keys]);
  });
  const waiting: Waiting<Value> = { keys, result };
  loaders.set(name, waiting);
  return (await result).get(key);
};

/** Puts rows under the key that they belong to; keys without rows get an empty list. */
export const groupBy = <Row>(
  keys: readonly string[],
  rows: readonly Row[],
  keyOf: (row: Row) => string,
): ReadonlyMap<string, Row[]> => {
  const groups = new Map<string, Row[]>(keys.map((key) => [key, []]));
  for (const row of rows) groups.get(keyOf(row))?.push(row);
  return groups;
};
