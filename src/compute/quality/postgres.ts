import type { DataExpectation, QualityReport } from '../../kernel/data-expectations.js';
import { compile } from './compile.js';
import { quoted } from '../table/names.js';
import { postgresDialect, type TableColumn } from './dialect.js';
import { judge } from './judge.js';

/** One statement with parameters, in a transaction that reads only; rows as lists of cells. */
export type Ask = (sql: string, parameters?: readonly unknown[]) => Promise<readonly (readonly unknown[])[]>;

/** A table of PostgreSQL, and how long looking at it may take. */
export interface TableRequest {
  readonly schema: string;
  readonly table: string;
  readonly expectations: readonly DataExpectation[];
  readonly now: Date;
  readonly timeoutMs: number;
}

/** Columns as the catalogue has them, in their order; none when there is no such table, or none that may be read. */
const describe = async (ask: Ask, schema: string, table: string): Promise<TableColumn[]> => {
  const rows = await ask(
    `select column_name::text, data_type::text from information_schema.columns
      where table_schema = $1 and table_name = $2 order by ordinal_position`,
    [schema, table],
  );
  return rows.map(([name, type]) => ({ name: String(name), type: String(type) }));
};

/**
 * The same expectations by PostgreSQL's own SQL, as one statement over one of its tables; nothing leaves it but counts.
 * The transaction, which must be one that reads only, keeps the time limit until it ends. Null when there is no table.
 */
export const checkTable = async (ask: Ask, request: TableRequest): Promise<QualityReport | null> => {
  const { schema, table, expectations, now, timeoutMs } = request;
  const columns = await describe(ask, schema, table);
  if (columns.length === 0) return null;
  await ask(
    `select set_config('statement_timeout', $1, true), set_config('synchronize_seqscans', 'off', true)`,
    [String(Math.max(1, Math.round(timeoutMs)))],
  );
  const compiled = compile(expectations, columns, postgresDialect, {
    source: `${quoted(schema)}.${quoted(table)}`,
    rowNumber: 'row_number() over ()',
  });
  const [row = []] = await ask(compiled.sql);
  const [[version = ''] = []] = await ask('show server_version');
  const names = new Set(columns.map(({ name }) => name));
  return judge(expectations, compiled, row, { now, engine: `postgresql ${String(version)}`, columns: names });
};
