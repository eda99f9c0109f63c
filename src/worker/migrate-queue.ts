import { runMigrations } from 'bullmq';
import { Client } from 'pg';

/**
 * Brings the queue's own tables up to date, as the owner of the schema, and lets the queue's role use them. Several
 * processes may do it at the same time.
 */
export const migrateQueue = async (url: string): Promise<void> => {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    // Two grants at once on one table fail; the lock ends with the connection.
    await client.query(`select pg_advisory_lock(hashtext('countersign.migrate-queue'))`);
    await runMigrations(client, 'bullmq');
    await client.query(grants);
  } finally {
    await client.end();
  }
};

const grants = `
  grant usage on schema bullmq to app_queue;
  grant select, insert, update, delete on all tables in schema bullmq to app_queue;
  grant usage, select, update on all sequences in schema bullmq to app_queue;
  grant execute on all functions in schema bullmq to app_queue;
`;
