import { open } from 'node:fs/promises';
import { DuckDBInstance, type DuckDBConnection, type DuckDBDataChunk } from '@duckdb/node-api';
import { literal } from './names.js';

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
  /** The rows of a query, some two thousand at a time and by column, in the memory of a few of them. */
  readonly chunks: (sql: string) => AsyncGenerator<DuckDBDataChunk>;
}

const settings = {
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

/** How the file is read. */
export interface TableOptions {
  /** Reads every cell of a CSV as text, instead of guessing types; Parquet has its own. */
  readonly text?: boolean;
  /** Memory of the engine itself, 512 by default. */
  readonly megabytes?: number;
}

const sourceOf = (path: string, start: Buffer, text: boolean): { format: DataFormat; source: string } => {
  if (start.toString('latin1') === 'PAR1')
    return { format: 'PARQUET', source: `read_parquet(${literal(path)})` };
  const packed = start[0] === 0x1f && start[1] === 0x8b;
  const options = `header = true, sample_size = 20480, compression = ${packed ? "'gzip'" : "'none'"}${text ? ', all_varchar = true' : ''}`;
  return { format: 'CSV', source: `read_csv(${literal(path)}, ${options})` };
};

const tableOver = async (connection: DuckDBConnection, format: DataFormat): Promise<DataTable> => {
  const rows = async (sql: string): Promise<readonly (readonly Cell[])[]> => {
    const reader = await connection.runAndReadAll(sql);
    return reader.getRowsJson();
  };
  const row = async (sql: string): Promise<readonly Cell[]> => (await rows(sql))[0] ?? [];
  const chunks = async function* (sql: string): AsyncGenerator<DuckDBDataChunk> {
    const result = await connection.stream(sql);
    for (;;) {
      const chunk = await result.fetchChunk();
      if (!chunk || chunk.rowCount === 0) return;
      yield chunk;
    }
  };
  const [version] = await row('select version()');
  return { format, engine: `duckdb ${String(version)}`, row, rows, chunks };
};

/**
 * Opens the engine over one file: no other file, no network, no extension, nothing written, and no setting can be
 * changed afterwards. The rows stay in the file; only what is counted comes out.
 */
export const openTable = async (path: string, options: TableOptions = {}): Promise<DataTable> => {
  const { text = false, megabytes = 512 } = options;
  const limit = { memory_limit: `${String(megabytes)}MB` };
  const instance = await DuckDBInstance.create(':memory:', { ...settings, ...limit });
  const connection = await instance.connect();
  const { format, source } = sourceOf(path, await firstBytes(path), text);
  await connection.run(`set allowed_paths = [${literal(path)}]`);
  await connection.run('set enable_external_access = false');
  await connection.run('set lock_configuration = true');
  await connection.run(`create view data as select * from ${source}`);
  return tableOver(connection, format);
};
