/** A name in SQL, both of DuckDB and of PostgreSQL. */
export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
/** A text in SQL; PostgreSQL with `standard_conforming_strings`, as it is by default. */
export const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;
