import { sqlState } from './db.js';

/** Serialization failure and deadlock: the transaction was right and came at the wrong moment. */
const repeatable: ReadonlySet<string> = new Set(['40001', '40P01']);
const maxRepeats = 2;

/** Does a transaction again, twice at most, when PostgreSQL broke it off in favour of another. */
export const repeatedly = async <T>(attempt: () => Promise<T>): Promise<T> => {
  for (let repeats = 0; ; repeats += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (repeats === maxRepeats || !repeatable.has(sqlState(error) ?? '')) throw error;
    }
  }
};
