/**
 * Lets what arrives while something is under way go together next: under load, many small calls share one transaction
 * and one job; without load, nobody waits for anybody.
 */
export interface Gatherer<Item, Result> {
  /** Items of one key go together, in the order in which they came. */
  readonly add: (key: string, item: Item) => Promise<Result>;
}

/** How batches are made. */
export interface GatherOptions<Item, Result> {
  /** Batches of one key at the same time. */
  readonly atOnce: number;
  /** Most that goes into one batch; what is larger goes alone. */
  readonly most: number;
  readonly sizeOf: (item: Item) => number;
  /** Works on a batch; one result per item, in its order. */
  readonly perform: (items: readonly [Item, ...Item[]]) => Promise<readonly Result[]>;
}

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

interface Lane<Item, Result> {
  running: number;
  readonly waiting: Waiting<Item, Result>[];
}

/** Makes a gatherer. */
export const createGatherer = <Item, Result>(
  options: GatherOptions<Item, Result>,
): Gatherer<Item, Result> => {
  const lanes = new Map<string, Lane<Item, Result>>();

  const start = (key: string, lane: Lane<Item, Result>): void => {
    while (lane.running < options.atOnce) {
      const batch = takeBatch(lane, options);
      const [first, ...others] = batch;
      if (!first) break;
      lane.running += 1;
      void settle(batch, options.perform([first.item, ...others.map(({ item }) => item)])).then(() => {
        lane.running -= 1;
        start(key, lane);
      });
    }
    if (lane.running === 0 && lane.waiting.length === 0) lanes.delete(key);
  };

  return {
    add: (key, item) =>
      new Promise((resolve, reject) => {
        const lane = lanes.get(key) ?? { running: 0, waiting: [] };
        lanes.set(key, lane);
        lane.waiting.push({ item, resolve, reject });
        start(key, lane);
      }),
  };
};

const settle = async <Item, Result>(
  batch: readonly Waiting<Item, Result>[],
  work: Promise<readonly Result[]>,
): Promise<void> => {
  try {
    const results = await work;
    if (results.length !== batch.length) throw new Error('A batch must have one result per item');
    // Lengths are the same, so every item has its result.
    batch.forEach(({ resolve }, index) => resolve(results[index] as Result));
  } catch (error) {
    for (const { reject } of batch) reject(error);
  }
};

const takeBatch = <Item, Result>(
  lane: Lane<Item, Result>,
  { most, sizeOf }: GatherOptions<Item, Result>,
): Waiting<Item, Result>[] => {
  const batch: Waiting<Item, Result>[] = [];
  let size = 0;
  for (let next = lane.waiting[0]; next; next = lane.waiting[0]) {
    const own = sizeOf(next.item);
    if (batch.length > 0 && size + own > most) break;
    lane.waiting.shift();
    batch.push(next);
    size += own;
  }
  return batch;
};
