import type { Adapter, AdapterFactory, AdapterPayload } from 'oidc-provider';

interface Entry {
  readonly id: string;
  readonly model: string;
  readonly payload: AdapterPayload;
  readonly expires: number;
}

const MOST_ENTRIES = 5_000;

/**
 * Keeps sessions, codes and tokens of the development provider in memory, bounded in number; they are gone after
 * a restart, and people choose who they are once more.
 */
export function memoryAdapter(now: () => number = Date.now): AdapterFactory {
  const entries = new Map<string, Entry>();

  const live = (matches: (entry: Entry) => boolean): AdapterPayload | undefined => {
    for (const entry of entries.values()) {
      if (matches(entry) && entry.expires > now()) return structuredClone(entry.payload);
    }
    return undefined;
  };

  const makeRoom = (): void => {
    if (entries.size < MOST_ENTRIES) return;
    for (const [key, entry] of entries) if (entry.expires <= now()) entries.delete(key);
    for (const key of entries.keys()) {
      if (entries.size < MOST_ENTRIES) return;
      entries.delete(key);
    }
  };

  return (model): Adapter => {
    const keyOf = (id: string): string => `${model}:${id}`;
    const findById = (id: string): AdapterPayload | undefined => {
      const entry = entries.get(keyOf(id));
      return entry && entry.expires > now() ? structuredClone(entry.payload) : undefined;
    };
    return {
      upsert(id, payload, expiresIn) {
        makeRoom();
        const expires = expiresIn === undefined ? Infinity : now() + expiresIn * 1_000;
        entries.set(keyOf(id), { id, model, payload: structuredClone(payload), expires });
        return Promise.resolve();
      },
      find: (id) => Promise.resolve(findById(id)),
      findByUid: (uid) =>
        Promise.resolve(live((entry) => entry.model === model && entry.payload.uid === uid)),
      findByUserCode: (code) =>
        Promise.resolve(live((entry) => entry.model === model && entry.payload.userCode === code)),
      consume(id) {
        const entry = entries.get(keyOf(id));
        if (entry) entry.payload.consumed = Math.floor(now() / 1_000);
        return Promise.resolve();
      },
      destroy(id) {
        entries.delete(keyOf(id));
        return Promise.resolve();
      },
      revokeByGrantId(grantId) {
        for (const [key, entry] of entries) if (entry.payload.grantId === grantId) entries.delete(key);
        return Promise.resolve();
      },
    };
  };
}
