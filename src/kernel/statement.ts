import type { SqlValue, Tx } from './db.js';

/** A statement that changes rows and whose result nobody reads. */
export interface Statement {
  readonly text: string;
  readonly values: readonly SqlValue[];
  /** For a text that is always the same: PostgreSQL plans it once per connection. */
  readonly name?: string;
}

/** Has statements sent together with the commit. */
export const runAtCommit = (tx: Pick<Tx, 'atCommit'>, statements: readonly Statement[]): void => {
  for (const statement of statements) tx.atCommit(statement.text, statement.values, statement.name);
};

/** Runs statements one after the other, now. */
export const runNow = async (tx: Pick<Tx, 'sql'>, statements: readonly Statement[]): Promise<void> => {
  await Promise.all(statements.map((statement) => tx.sql(statement.text, statement.values)));
};
