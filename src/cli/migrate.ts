import { processEnvironment, readConfig } from '../config.js';
import { databaseUrlOf } from './environment.js';
import { bringUpToDate } from './database.js';
import { print } from './terminal.js';

/** Brings the database up to date, and says what was done. */
export const runMigrate = async (_args: readonly string[]): Promise<void> => {
  const config = readConfig(processEnvironment());
  const applied = await bringUpToDate(databaseUrlOf(config, 'migrate'));
  print(applied.length === 0 ? 'The database is up to date.' : `Applied ${applied.join(', ')}.`);
};
