import type { Db, SqlValue, Tx } from './db.js';

/**
 * Machinery: the loops that move what is committed (outbox, sessions, progress, the clock of schedules). They see
 * every workspace and write only the tables listed here; nothing governed. Used by doors, and by identity for
 * sessions; never by other features.
 */
export const machineryTables = [
  'outbox',
  'job',
  'effect',
  'subject_key',
  'session',
  'sign_in',
  'api_token_use',
] as const;

/** One reading statement as the system role, for what every request asks: who it is. */
export const lookUpAsSystem = <Row extends object>(
  db: Db,
  text: string,
  values: readonly SqlValue[],
  name: string,
): Promise<Row[]> => db.lookUp('app_system', text, values, name);

/** Runs machinery as the system role, outside of any workspace. */
export const asSystem = <T>(db: Db, work: (tx: Tx) => Promise<T>): Promise<T> =>
  db.transact('app_system', { workspaceId: null, organizationId: null, commandId: null }, work);
