import { randomBytes } from 'node:crypto';
import { Client } from 'pg';

/** The migrated database that is cloned for each test file. */
export const templateName = 'countersign_template';

/** Runs one statement on a connection of its own. */
export const runStatement = async (url: string, statement: string): Promise<void> => {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
};

/** Clones the template; returns the address of the clone. */
export const cloneDatabase = async (server: string): Promise<{ url: string; drop: () => Promise<void> }> => {
  const name = `test_${randomBytes(6).toString('hex')}`;
  await runStatement(server, `create database ${name} template ${templateName} strategy file_copy`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => runStatement(server, `drop database if exists ${name} with (force)`) };
};
