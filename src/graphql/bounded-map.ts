/** A map that forgets what was longest unused, so that what strangers send cannot fill the memory. */
export interface BoundedMap<Value> {
  get(key: string): Value | undefined;
  set(key: string, value: Value): void;
}

/** Opens a map of at most `limit` entries. */
export const boundedMap = <Value>(limit: number): BoundedMap<Value> => {
  // Two generations: the older one is dropped whole when the younger is full. Cheaper than moving entries on each read.
  let young = new Map<string, Value>();
  let old = new Map<string, Value>();
  const put = (key: string, value: Value): void => {
    if (young.size >= limit / 2) {
      old = young;
      young = new Map();
    }
    young.set(key, value);
  };
  return {
    get: (key) => {
      const known = young.get(key);
      if (known !== undefined) return known;
      const older = old.get(key);
      if (older !== undefined) put(key, older);
      return older;
    },
    set: put,
  };
};
