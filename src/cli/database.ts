import { migrate } from '../kernel/db.js';
import { migrateQueue } from '../worker/migrate-queue.js';
import { migrations } from '../../migrations/index.js';

/** Applies what is missing of our own tables and of the queue's; returns the names of our migrations. */
export const bringUpToDate = async (url: string): Promise<string[]> => {
  const applied = await migrate(url, migrations);
  await migrateQueue(url);
  return applied;
};
