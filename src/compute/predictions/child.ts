import { closeSync, writeSync } from 'node:fs';
import { z } from 'zod';
import type { DriftFeature } from '../../kernel/drift-baseline.js';
import { countOnBins } from '../drift/count.js';
import { freezeColumns, UnusableColumn } from '../drift/freeze.js';
import { openTable, type DataTable } from '../table/engine.js';
import { short } from '../table/fault.js';
import { readPredictions, UnfitTable, type PredictionColumns } from './columns.js';
import { calibrationOf, measurePredictions } from './measure.js';
import type { MeasuredPredictions, PredictionsAnswer } from './report.js';
import { predictionsRequest, type PredictionsRequest } from './request.js';

/*
 * Runs in a process of its own, without environment, credentials or network: measures one table of predictions and
 * writes one JSON answer to descriptor 3.
 */

const answerTo = 3;
const mostColumns = 2000;

const asked = z.object({ path: z.string(), request: predictionsRequest });

/** Score and prediction drift as well: they are columns of the baseline like any input. */
const featuresOf = ({ freeze, columns }: PredictionsRequest): DriftFeature[] => {
  const features = [...(freeze?.features ?? [])];
  const add = (name: string | null, kind: DriftFeature['kind']): void => {
    if (name !== null && !features.some((feature) => feature.name === name)) features.push({ name, kind });
  };
  add(columns.score, 'NUMERIC');
  add(columns.prediction, 'CATEGORICAL');
  return features;
};

const requireColumns = async (table: DataTable, request: PredictionsRequest): Promise<void> => {
  const described = await table.rows('describe data');
  if (described.length > mostColumns)
    throw new UnfitTable('columns', `it has more than ${String(mostColumns)} columns`);
  const there = new Set(described.map(([name]) => String(name)));
  const { prediction, score, outcome, groups } = request.columns;
  const wanted = [
    ...[prediction, score, outcome].filter((name) => name !== null),
    ...groups,
    ...(request.freeze ? featuresOf(request) : []).map(({ name }) => name),
    ...(request.baseline?.columns ?? []).map(({ name }) => name),
  ];
  const missing = [...new Set(wanted)].filter((name) => !there.has(name));
  if (missing.length > 0)
    throw new UnfitTable('columns', `it has no column ${missing.slice(0, 5).join(', ')}`);
};

const frozenOf = async (
  table: DataTable,
  request: PredictionsRequest,
  columns: PredictionColumns,
): Promise<MeasuredPredictions['frozen']> => {
  if (!request.freeze) return null;
  const { bins, names } = request.freeze;
  return {
    schema: 'countersign.drift-baseline/1',
    rows: columns.rows,
    columns: await freezeColumns(table, featuresOf(request), { rows: columns.rows, bins, names }),
    calibration: calibrationOf(columns, request),
  };
};

const measure = async (path: string, request: PredictionsRequest): Promise<MeasuredPredictions> => {
  const table = await openTable(path, { text: true });
  await requireColumns(table, request);
  const columns = await readPredictions(table, request);
  const figures = measurePredictions(columns, request);
  const window = request.baseline ? await countOnBins(table, request.baseline.columns) : null;
  return { ...figures, window, frozen: await frozenOf(table, request, columns), engine: table.engine };
};

const answerOf = async (): Promise<PredictionsAnswer> => {
  const { path, request } = asked.parse(JSON.parse(process.argv.slice(2).join('')));
  try {
    return { accepted: true, measured: await measure(path, request) };
  } catch (error) {
    if (error instanceof UnfitTable) return { accepted: false, rule: error.rule, reason: error.message };
    if (error instanceof UnusableColumn) return { accepted: false, rule: 'baseline', reason: error.message };
    return { accepted: false, rule: 'unreadable', reason: `it cannot be measured: ${short(error, path)}` };
  }
};

const text = Buffer.from(JSON.stringify(await answerOf()));
for (let written = 0; written < text.length;) written += writeSync(answerTo, text, written);
closeSync(answerTo);
// The engine's threads would keep the process for a while; nothing is left to do.
process.exit(0);
