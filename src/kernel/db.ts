import {
  DataSource,
  type EntityTarget,
  type FindManyOptions,
  type FindOptionsWhere,
  type MigrationInterface,
  type ObjectLiteral,
  type QueryDeepPartialEntity,
  type QueryRunner,
} from 'typeorm';
import { isUuid } from './id.js';

/** A value that can be bound to a statement. */
export type SqlValue = unknown;

/** Reads rows; has no way to write any. */
export interface ReadDb {
  /**
   * Runs one statement and returns its rows. Values go through parameters only. A name, for a text that is always the
   * same, has PostgreSQL plan it once per connection.
   */
  sql<Row extends object>(text: string, values?: readonly SqlValue[], name?: string): Promise<Row[]>;
  find<E extends ObjectLiteral>(entity: EntityTarget<E>, options: FindManyOptions<E>): Promise<E[]>;
  findOne<E extends ObjectLiteral>(entity: EntityTarget<E>, where: FindOptionsWhere<E>): Promise<E | null>;
}

declare const txBrand: unique symbol;

/** A transaction that may write. Only the runners of the kernel can make one. */
export interface Tx extends ReadDb {
  readonly [txBrand]: true;
  /** Inserts one row or many in one statement. */
  insert<E extends ObjectLiteral>(entity: EntityTarget<E>, rows: Row<E> | Row<E>[]): Promise<void>;
  /** Updates the rows that match; returns how many. */
  update<E extends ObjectLiteral>(
    entity: EntityTarget<E>,
    where: FindOptionsWhere<E>,
    changes: Row<E>,
  ): Promise<number>;
  /** Deletes the rows that match; returns how many. */
  remove<E extends ObjectLiteral>(entity: EntityTarget<E>, where: FindOptionsWhere<E>): Promise<number>;
  /**
   * A statement that is sent together with the commit, in one packet: for rows whose result nobody reads. One that
   * fails takes the transaction with it. A name has PostgreSQL plan the statement once per connection.
   */
  atCommit(text: string, values: readonly SqlValue[], name?: string): void;
  /** Loads one row and locks it until the transaction ends. */
  lock<E extends ObjectLiteral>(entity: EntityTarget<E>, where: FindOptionsWhere<E>): Promise<E | null>;
}

/** The columns of a row, as far as they are given. */
export type Row<E extends ObjectLiteral> = QueryDeepPartialEntity<E>;

/** Where a transaction looks: row-level security lets through these rows and no others. */
export interface Scope {
  readonly workspaceId: string | null;
  readonly organizationId: string | null;
}

/** What is set on a transaction beside its scope. */
export interface Session extends Scope {
  readonly commandId: string | null;
  /** PostgreSQL refuses every write, whatever the role may otherwise do. */
  readonly readOnly?: boolean;
  /** A record adds telemetry: governed tables refuse it, even when its batch leaves an entry in the trail. */
  readonly way?: 'record';
}

/** The roles of the database; each has its own connections. */
export type DbRole = 'app_writer' | 'app_reader' | 'app_system';

/** The only door to connections. */
export interface Db {
  /** Runs work in one transaction of a role and a scope; commits when it resolves, rolls back when it throws. */
  transact<T>(role: DbRole, session: Session, work: (tx: Tx) => Promise<T>): Promise<T>;
  /**
   * One reading statement of a role outside of any scope, without a transaction around it: for what every request
   * asks. Row-level security shows it no rows of workspaces, unless the role sees all.
   */
  lookUp<Row extends object>(
    role: DbRole,
    text: string,
    values: readonly SqlValue[],
    name: string,
  ): Promise<Row[]>;
  /** Whether the database answers. */
  ping(): Promise<void>;
  /** How busy the connections are, for metrics. */
  usage(): { role: DbRole; total: number; idle: number; waiting: number }[];
  close(): Promise<void>;
}

/** How to reach the database. */
export interface DbOptions {
  readonly url: string;
  readonly entities: readonly EntityClass[];
  readonly poolSize: Readonly<Record<DbRole, number>>;
  readonly statementTimeoutMs: number;
  readonly onError: (error: Error) => void;
  readonly name: string;
}

/** A class that TypeORM maps to a table. */
export type EntityClass = abstract new (...args: never[]) => object;

const literal = (id: string | null): string => {
  if (id === null) return "''";
  if (!isUuid(id)) throw new Error('A scope must be a UUID');
  return `'${id}'`;
};

/** One simple-protocol batch: begins and scopes in a single round trip. */
const beginStatement = (session: Session): string =>
  `begin${session.readOnly ? ' read only' : ''}; select set_config('app.workspace_id', ${literal(session.workspaceId)}, true), ` +
  `set_config('app.organization_id', ${literal(session.organizationId)}, true), ` +
  `set_config('app.command_id', ${literal(session.commandId)}, true)` +
  (session.way === undefined ? '' : `, set_config('app.way', '${session.way}', true)`);

interface Query {
  readonly text: string;
  readonly values: readonly SqlValue[];
  readonly name?: string;
}

/** A connection of the driver below TypeORM. Statements without an entity go to it directly, which costs a third less. */
interface Connection {
  query(query: string | Query): Promise<Answer>;
  readonly connection: { readonly stream: { cork(): void; uncork(): void } };
}

interface Answer {
  readonly rows: object[];
  readonly command: string;
}

const transactionOver = (runner: QueryRunner, connection: Connection, last: Query[]): Tx => {
  const { manager } = runner;
  const tx: Omit<Tx, typeof txBrand> = {
    sql: async <R extends object>(
      text: string,
      values: readonly SqlValue[] = [],
      name?: string,
    ): Promise<R[]> => {
      // Work that nobody waited for must not reach the connection when it serves somebody else.
      if (runner.isReleased) throw new Error('The transaction is over; a statement of it was not awaited');
      const query = name === undefined ? { text, values } : { text, values, name };
      const { rows } = await connection.query(query);
      return rows as R[];
    },
    atCommit: (text, values, name) => {
      last.push(name === undefined ? { text, values } : { text, values, name });
    },
    find: (entity, options) => manager.find(entity, options),
    findOne: (entity, where) => manager.findOne(entity, { where }),
    insert: async (entity, rows) => {
      await manager.createQueryBuilder().insert().into(entity).values(rows).updateEntity(false).execute();
    },
    update: async (entity, where, changes) => (await manager.update(entity, where, changes)).affected ?? 0,
    remove: async (entity, where) => (await manager.delete(entity, where)).affected ?? 0,
    lock: (entity, where) => manager.findOne(entity, { where, lock: { mode: 'pessimistic_write' } }),
  };
  return tx as Tx;
};

/** We begin in our own way, in one round trip with the scope; TypeORM asks this flag before it locks. */
const markActive = (runner: QueryRunner, active: boolean): void => {
  (runner as { isTransactionActive: boolean }).isTransactionActive = active;
};

/**
 * Sends what is left and the commit in one packet. PostgreSQL answers `commit` with ROLLBACK, and no error, when a
 * statement failed before, also when its error was caught on the way.
 */
const commit = async (connection: Connection, last: readonly Query[]): Promise<void> => {
  const { stream } = connection.connection;
  stream.cork();
  const answers = [...last.map((query) => connection.query(query)), connection.query('commit')];
  stream.uncork();
  const settled = await Promise.allSettled(answers);
  for (const answer of settled) if (answer.status === 'rejected') throw answer.reason;
  const end = settled.at(-1);
  if (end?.status === 'fulfilled' && end.value.command === 'COMMIT') return;
  throw new Error('Nothing was changed: a statement of the transaction failed and its error was caught');
};

/** A connection that cannot even roll back is not given to anybody again. */
const rollBack = async (runner: QueryRunner, connection: Connection): Promise<void> => {
  if (runner.isReleased) return;
  try {
    await connection.query('rollback');
  } catch (error) {
    await (
      runner as unknown as { releasePostgresConnection(error: unknown): Promise<void> }
    ).releasePostgresConnection(error);
  }
};

const transact = async <T>(
  source: DataSource,
  session: Session,
  work: (tx: Tx) => Promise<T>,
): Promise<T> => {
  const begin = beginStatement(session);
  const runner = source.createQueryRunner();
  const connection = (await runner.connect()) as Connection;
  try {
    // Sent without waiting: the first statement follows in the same packet or the next, and the server keeps the order.
    const begun = connection.query(begin);
    begun.catch(() => undefined);
    markActive(runner, true);
    const last: Query[] = [];
    const result = await work(transactionOver(runner, connection, last));
    await begun;
    await commit(connection, last);
    return result;
  } catch (error) {
    await rollBack(runner, connection);
    throw error;
  } finally {
    markActive(runner, false);
    await runner.release();
  }
};

const lookUp = async <Row extends object>(source: DataSource, query: Query): Promise<Row[]> => {
  const runner = source.createQueryRunner();
  try {
    const connection = (await runner.connect()) as Connection;
    return (await connection.query(query)).rows as Row[];
  } finally {
    await runner.release();
  }
};

const openSource = (role: DbRole, options: DbOptions): Promise<DataSource> => {
  const readOnly = role === 'app_reader' ? ' -c default_transaction_read_only=on' : '';
  return new DataSource({
    type: 'postgres',
    url: options.url,
    entities: options.entities.map((entity) => entity as new () => object),
    synchronize: false,
    poolSize: options.poolSize[role],
    applicationName: options.name,
    poolErrorHandler: options.onError,
    installExtensions: false,
    extra: {
      // Statements are sent without waiting for the answer to the one before; the server keeps their order.
      pipeline: true,
      options:
        `-c role=${role}${readOnly} -c statement_timeout=${String(options.statementTimeoutMs)}` +
        ` -c idle_in_transaction_session_timeout=30000`,
    },
  }).initialize();
};

interface PoolCounts {
  readonly totalCount: number;
  readonly idleCount: number;
  readonly waitingCount: number;
}

const countsOf = (source: DataSource): PoolCounts =>
  (source.driver as unknown as { master: PoolCounts }).master;

/** Opens one pool per role. */
export const openDb = async (options: DbOptions): Promise<Db> => {
  const [app_writer, app_reader, app_system] = await Promise.all([
    openSource('app_writer', options),
    openSource('app_reader', options),
    openSource('app_system', options),
  ]);
  const sources: Record<DbRole, DataSource> = { app_writer, app_reader, app_system };
  const all = Object.entries(sources) as [DbRole, DataSource][];
  return {
    transact: (role, session, work) => transact(sources[role], session, work),
    lookUp: (role, text, values, name) => lookUp(sources[role], { text, values, name }),
    ping: async () => {
      await app_reader.query('select 1');
    },
    usage: () =>
      all.map(([role, source]) => {
        const counts = countsOf(source);
        return { role, total: counts.totalCount, idle: counts.idleCount, waiting: counts.waitingCount };
      }),
    close: async () => {
      await Promise.all(all.map(([, source]) => source.destroy()));
    },
  };
};

/** Applies the migrations that are not applied yet, as the owner of the schema; returns their names. */
export const migrate = async (
  url: string,
  migrations: readonly (new () => MigrationInterface)[],
): Promise<string[]> => {
  const source = await new DataSource({
    type: 'postgres',
    url,
    migrations: [...migrations],
    migrationsTableName: 'schema_migration',
    installExtensions: false,
    poolSize: 1,
  }).initialize();
  try {
    const applied = await source.runMigrations({ transaction: 'each' });
    return applied.map((migration) => migration.name);
  } finally {
    await source.destroy();
  }
};

/** The SQLSTATE of a database error, if it is one. */
export const sqlState = (error: unknown): string | undefined => {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
};

/** Whether a database error breaks the named unique constraint (or any, when none is named). */
export const isDuplicate = (error: unknown, constraint?: string): boolean => {
  if (sqlState(error) !== '23505') return false;
  if (constraint === undefined) return true;
  return (
    typeof error === 'object' && error !== null && 'constraint' in error && error.constraint === constraint
  );
};
