import { closeSync, writeSync } from 'node:fs';
import { z } from 'zod';
import { dataExpectations, type QualityReport } from '../../kernel/data-expectations.js';
import { openTable } from '../table/engine.js';
import { short } from '../table/fault.js';
import { compile } from './compile.js';
import { duckDialect } from './dialect.js';
import { judge } from './judge.js';
import type { QualityAnswer } from './report.js';

/*
 * Runs in a process of its own, without environment, credentials or network: asks one question of one data file and
 * writes one JSON answer to descriptor 3.
 */

const answerTo = 3;
const mostColumns = 2000;

const asked = z.object({ path: z.string(), expectations: dataExpectations, now: z.iso.datetime() });

const reportOf = async ({ path, expectations, now }: z.output<typeof asked>): Promise<QualityReport> => {
  // Every cell of a CSV is read as text: a cell that is no number is then a failing row, and not a file to refuse.
  const table = await openTable(path, { text: true });
  const described = await table.rows('describe data');
  if (described.length > mostColumns) throw new Error(`it has more than ${String(mostColumns)} columns`);
  const columns = described.map(([name, type]) => ({ name: String(name), type: String(type) }));
  const compiled = compile(expectations, columns, duckDialect, {
    source: 'data',
    rowNumber: 'row_number() over ()',
  });
  const row = await table.row(compiled.sql);
  const names = new Set(columns.map(({ name }) => name));
  return judge(expectations, compiled, row, { now: new Date(now), engine: table.engine, columns: names });
};

const answerOf = async (): Promise<QualityAnswer> => {
  const request = asked.parse(JSON.parse(process.argv.slice(2).join('')));
  try {
    return { accepted: true, report: await reportOf(request) };
  } catch (error) {
    return { accepted: false, reason: `it cannot be checked: ${short(error, request.path)}` };
  }
};

const text = Buffer.from(JSON.stringify(await answerOf()));
for (let written = 0; written < text.length;) written += writeSync(answerTo, text, written);
closeSync(answerTo);
// The engine's threads would keep the process for a while; nothing is left to do.
process.exit(0);
