export { csvRows, type CsvRow } from './csv.js';
export { inputReader, labelReader } from './encode.js';
export type { Measured, MeasureInput } from './measure.js';
export type { ScoreRequest, ScoreResult } from '../ensemble/score.js';
export type { ExplainRequest, ExplainResult } from '../ensemble/explain.js';
export type { EnsembleSource } from '../ensemble/open-ensemble.js';
