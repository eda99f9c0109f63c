import { open } from 'node:fs/promises';
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';

/** What the file is made of. */
export type DataFormat = 'CSV' | 'PARQUET';

/** A value of an answer, in JSON. */
export type Cell = unknown;

/** The one table of the engine, `data`, over the one file that it may read. */
export interface DataTable {
  readonly format: DataFormat;
  readonly engine: string;
  /** One row of an aggregate, by position. */
  readonly row: (sql: string) => Promise<readonly Cell[]>;
  readonly rows: (sql: string) => Promise<readonly (readonly Cell[])[]>;
}

/** A name in SQL. */
export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
/** A text in SQL. */
export const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

const settings = {
  memory_limit: '512MB',
  threads: '2',
  // Nothing is written, also not what does not fit into memory.
  temp_directory: '',
  autoinstall_known_extensions: 'false',
  autoload_known_extensions: 'false',
  allow_community_extensions: 'false',
  allow_unsigned_extensions: 'false',
};

const firstBytes = async (path: string): Promise<Buffer> => {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
};

const sourceOf = (path: string, start: Buffer): { format: DataFormat; source: string } => {
  if (start.toString('latin1') === 'PAR1')
    return { format: 'PARQUET', source: `read_parquet(${literal(path)})` };
  const packed = start[0] === 0x1f && start[1] === 0x8b;
  const options = `header = true, sample_size = 20480, compression = ${packed ? "'gzip'" : "'none'"}`;
  return { format: 'CSV', source: `read_csv(${literal(path)}, ${options})` };
};

const tableOver = async (connection: DuckDBConnection, format: DataFormat): Promise<DataTable> => {
  const rows = async (sql: string): Promise<readonly (readonly Cell[])[]> => {
    const reader = await connection.runAndReadAll(sql);
    return reader.getRowsJson();
  };
  const row = async (sql: string): Promise<readonly Cell[]> => (await rows(sql))[0] ?? [];
  const [version] = await row('select version()');
  return { format, engine: `duckdb ${String(version)}`, row, rows };
};

/**
 * Opens the engine over one file: no other file, no network, no extension, nothing written, and no setting can be
 * changed afterwards. The rows stay in the file; only what is counted comes out.
 */
export const openTable = async (path: string): Promise<DataTable> => {
  const instance = await DuckDBInstance.create(':memory:', settings);
  const connection = await instance.connect();
  const { format, source } = sourceOf(path, await firstBytes(path));
  await connection.run(`set allowed_paths = [${literal(path)}]`);
  await connection.run('set enable_external_access = false');
  await connection.run('set lock_configuration = true');
  await connection.run(`create view data as select * from ${source}`);
  return tableOver(connection, format);
};
