import { Client } from 'pg';

/** A table of the product, as PostgreSQL describes it. */
export interface Table {
  readonly name: string;
  readonly hasWorkspace: boolean;
  readonly workspaceRequired: boolean;
  readonly secured: boolean;
  readonly triggers: readonly string[];
  readonly columns: readonly Column[];
  readonly keys: readonly string[];
  /** Rights by role: select, insert, update, delete. */
  readonly rights: Readonly<Record<string, string>>;
}

interface Column {
  readonly name: string;
  readonly type: string;
  readonly isArray: boolean;
}

const describeTables = `
select c.relname as name,
       c.relrowsecurity and c.relforcerowsecurity as secured,
       exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'workspace_id') as "hasWorkspace",
       exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'workspace_id' and a.attnotnull)
         as "workspaceRequired",
       array(select t.tgname::text from pg_trigger t where t.tgrelid = c.oid and not t.tgisinternal) as triggers,
       array(select a.attname::text from pg_index i join pg_attribute a on a.attrelid = c.oid and a.attnum = any(i.indkey)
              where i.indrelid = c.oid and i.indisprimary) as keys,
       (select json_agg(json_build_object('name', a.attname, 'type', format_type(coalesce(nullif(t.typelem, 0), t.oid), null),
                                          'isArray', t.typcategory = 'A') order by a.attnum)
          from pg_attribute a join pg_type t on t.oid = a.atttypid
         where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '') as columns,
       (select coalesce(json_object_agg(r.rolname, concat(
          case when has_table_privilege(r.oid, c.oid, 'select') then 's' end,
          case when has_table_privilege(r.oid, c.oid, 'insert') then 'i' end,
          case when has_any_column_privilege(r.oid, c.oid, 'update') then 'u' end,
          case when has_table_privilege(r.oid, c.oid, 'delete') then 'd' end,
          case when has_table_privilege(r.oid, c.oid, 'truncate') then 't' end)), '{}')
          from pg_roles r where r.rolname in ('app_writer', 'app_reader', 'app_system', 'app_queue')) as rights
  from pg_class c
 where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
 order by c.relname`;

/** Connects as the superuser of the test's own database. */
export const connect = async (url: string): Promise<Client> => {
  const client = new Client({ connectionString: url });
  await client.connect();
  return client;
};

/** Describes every table of the schema. */
export const tablesOf = async (client: Client): Promise<Table[]> => {
  const { rows } = await client.query<Table>(describeTables);
  return rows;
};

/** The values of a row that belongs to a workspace and is otherwise made up. */
export interface MadeUp {
  readonly workspaceId: string;
  /** Every uuid of the row, its own id included. */
  readonly id: string;
  /** Every text of the row. */
  readonly text: string;
}

const valueOf = (column: Column, made: MadeUp): unknown => {
  if (column.name === 'workspace_id') return made.workspaceId;
  const value = scalarOf(column.type, made);
  return column.isArray ? [value] : value;
};

const scalarOf = (type: string, made: MadeUp): unknown => {
  if (type === 'uuid') return made.id;
  if (type === 'boolean') return false;
  if (type === 'jsonb' || type === 'json') return '{}';
  if (type === 'bytea') return Buffer.from(made.text.padEnd(32).slice(0, 32));
  if (/^(timestamp|date)/.test(type)) return new Date();
  if (/^(integer|bigint|smallint|numeric|double|real)/.test(type)) return 1;
  return made.text;
};

/** The statement and the values that put a made-up row into a table. */
export const insertOf = (table: Table, made: MadeUp): { text: string; values: unknown[] } => {
  const names = table.columns.map(({ name }) => `"${name}"`).join(', ');
  const places = table.columns.map((_, index) => `$${String(index + 1)}`).join(', ');
  return {
    text: `insert into "${table.name}" (${names}) values (${places})`,
    values: table.columns.map((column) => valueOf(column, made)),
  };
};

/**
 * Puts one made-up row of a workspace into every table that belongs to workspaces. Constraints are dropped in this
 * database and triggers sleep meanwhile: what is proved is who sees and touches the rows, not what is in them.
 */
export const populate = async (client: Client, tables: readonly Table[], made: MadeUp): Promise<void> => {
  const { rows } = await client.query<{ statement: string }>(
    `select format('alter table %s drop constraint %I', conrelid::regclass, conname) as statement
       from pg_constraint where contype = 'c' and conrelid <> 0 and connamespace = 'public'::regnamespace`,
  );
  for (const { statement } of rows) await client.query(statement);
  await client.query(`set session_replication_role = replica`);
  for (const table of tables.filter(({ hasWorkspace }) => hasWorkspace)) {
    const { text, values } = insertOf(table, made);
    await client.query(text, values);
  }
  await client.query(`set session_replication_role = origin`);
};

/** A digest of the rows of a workspace in all tables, to see whether anything touched them. */
export const fingerprint = async (
  client: Client,
  tables: readonly Table[],
  workspaceId: string,
): Promise<Record<string, string>> => {
  const all: Record<string, string> = {};
  for (const { name } of tables.filter(({ hasWorkspace }) => hasWorkspace)) {
    const { rows } = await client.query<{ digest: string }>(
      `select coalesce(string_agg(md5(t::text), ',' order by md5(t::text)), 'none') as digest
         from "${name}" t where workspace_id = $1`,
      [workspaceId],
    );
    all[name] = rows[0]?.digest ?? '';
  }
  return all;
};
