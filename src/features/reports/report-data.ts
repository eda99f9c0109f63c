import { z } from 'zod';
import type { ReadDb } from '../../kernel/db.js';

/** A value of a table. Times are ISO texts in UTC. */
export type Cell = string | number | boolean | null;

/** One fact per row. */
export type DataRow = Readonly<Record<string, Cell>>;

const cell = z.union([z.string(), z.number(), z.boolean(), z.null()]);

/**
 * Everything that a report shows, before it is laid out: the PDF and the workbook show this and nothing else, and its
 * canonical form (RFC 8785) is what the sha256 of a report is over.
 */
export const reportData = z.strictObject({
  schema: z.literal('countersign.report-data/1'),
  template: z.string(),
  title: z.string(),
  cutOff: z.string(),
  /** Texts that a template may name in braces. */
  values: z.record(z.string(), z.string()),
  facts: z.array(z.strictObject({ label: z.string(), value: z.string() })),
  tables: z.record(z.string(), z.array(z.record(z.string(), cell))),
});

/** Everything that a report shows. */
export interface ReportData {
  readonly schema: 'countersign.report-data/1';
  readonly template: string;
  readonly title: string;
  readonly cutOff: string;
  readonly values: Readonly<Record<string, string>>;
  readonly facts: readonly { readonly label: string; readonly value: string }[];
  readonly tables: Readonly<Record<string, readonly DataRow[]>>;
}

const isoDay = (at: Date): string => at.toISOString().slice(0, 10);

/** A time as people read it: minute, UTC. */
export const shownTime = (at: Date | string): string =>
  `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`;

/** A period as people read it; ends before `to`. */
export const shownPeriod = (from: Date, to: Date): string =>
  `${shownTime(from)} up to ${shownTime(to)}${from.getUTCHours() === 0 && to.getUTCHours() === 0 ? ` (${isoDay(from)} to before ${isoDay(to)})` : ''}`;

const cellOf = (value: unknown): Cell => {
  if (value === null || value === undefined) return null;
  if (value instanceof Date) return value.toISOString();
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  return JSON.stringify(value);
};

/** Rows of a statement as rows of a table. */
export const rowsOf = async (db: ReadDb, text: string, values: readonly unknown[]): Promise<DataRow[]> => {
  const rows = await db.sql<Record<string, unknown>>(text, values);
  return rows.map((row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, cellOf(value)])));
};

/** SQL for what became of the approval `a`: that it stands, or the rule by which it is void. */
export const standing = `case when a.voided_at is null then 'yes' else 'void: ' || split_part(a.void_reason, ':', 1) end as standing`;

/** SQL for the name of an actor, given the expression of its id: a person, a service account, or the product. */
export const actorName = (id: string): string =>
  `coalesce((select person.display_name from app_user person where person.id::text = ${id}),
            (select machine.name || ' (service account)' from service_account machine where machine.id::text = ${id}), ${id})`;
