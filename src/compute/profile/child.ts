import { closeSync, writeSync } from 'node:fs';
import { z } from 'zod';
import { openTable, type DataTable } from '../table/engine.js';
import { short } from '../table/fault.js';
import { columnOf, firstPass, secondPass, shownText, type Described } from './figures.js';
import { largestHidden } from './hide.js';
import { correlationsOf, duplicatesOf, groupsOf } from './relations.js';
import type { DataProfile, ProfileAnswer } from './report.js';

/*
 * Runs in a process of its own, without environment, credentials or network: counts what is in one data file and
 * writes one JSON answer to descriptor 3. Whatever goes wrong here harms nobody else.
 */

const answerTo = 3;
const most = { columns: 2000, profiled: 200 };

const asked = z.object({ path: z.string(), protectedAttributes: z.array(z.string()) });

class Refusal extends Error {}

const describe = async (table: DataTable): Promise<Described[]> => {
  const described = await table.rows('describe data');
  if (described.length > most.columns) throw new Refusal(`it has more than ${String(most.columns)} columns`);
  return described.map(([name, type]) => ({ name: String(name), type: String(type) }));
};

const shown = ({ name, type }: Described): Described => ({
  name: shownText(name, 300),
  type: type.slice(0, 300),
});

const profileOf = async (path: string, protectedAttributes: readonly string[]): Promise<DataProfile> => {
  const table = await openTable(path);
  const schema = await describe(table);
  const isProtected = ({ name }: Described): boolean => protectedAttributes.includes(name);
  // Protected attributes first, so that a wide file does not leave them out.
  const chosen = schema
    .toSorted((one, other) => Number(isProtected(other)) - Number(isProtected(one)))
    .slice(0, most.profiled);
  const { rows, columns } = await firstPass(table, chosen);
  const counts = await secondPass(table, columns);
  const profiled = columns.map((first, index) => columnOf(rows, first, counts[index] ?? []));
  const places = schema.map(({ name }) => name);
  return {
    format: table.format,
    rows,
    schema: schema.map(shown),
    columns: profiled.toSorted((one, other) => places.indexOf(one.name) - places.indexOf(other.name)),
    correlations: await correlationsOf(table, columns),
    groups: columns.flatMap((first, index) =>
      isProtected(first.column)
        ? [groupsOf(rows, first, counts[index] ?? [], profiled[index]?.histogram ?? [])]
        : [],
    ),
    absent: protectedAttributes.filter((name) => !places.includes(name)),
    duplicates: await duplicatesOf(table, rows),
    largestHidden,
    engine: table.engine,
  };
};

const answerOf = async (): Promise<ProfileAnswer> => {
  const { path, protectedAttributes } = asked.parse(JSON.parse(process.argv[2] ?? ''));
  try {
    return { accepted: true, profile: await profileOf(path, protectedAttributes) };
  } catch (error) {
    // Whatever the engine refuses is in the file: it is not to be read, or does not fit into what it may use.
    return { accepted: false, reason: `it cannot be profiled: ${short(error, path)}` };
  }
};

const text = Buffer.from(JSON.stringify(await answerOf()));
for (let written = 0; written < text.length;) written += writeSync(answerTo, text, written);
closeSync(answerTo);
// The engine's threads would keep the process for a while; nothing is left to do.
process.exit(0);
