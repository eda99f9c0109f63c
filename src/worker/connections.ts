/** The database role of the queue: it reaches the queue's own tables and nothing else. */
const queueRole = 'app_queue';

/** Connections to the queue's tables in PostgreSQL. */
export const postgresConnection = (url: string, max: number) => ({
  connectionString: url,
  max,
  options: `-c role=${queueRole}`,
  // A connection that cannot be had is an error after this time, not a wait for ever.
  connectionTimeoutMillis: 10_000,
});

/** Connections to Redis; a worker waits for it as long as it takes. */
export const redisConnection = (url: string) => ({ url, maxRetriesPerRequest: null });
