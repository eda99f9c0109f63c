import { argumentsOf, lookInto, type StrangerLimits } from '../stranger.js';
import { parseJson } from '../table/fault.js';
import { predictionsAnswer, type PredictionsAnswer } from './report.js';
import type { PredictionsRequest } from './request.js';

export type { MeasuredPredictions } from './report.js';
export type { PredictionsRequest } from './request.js';

const megabyte = 1_048_576;

/** The engine streams; what is kept of a row is a few bytes. */
const predictionLimits: StrangerLimits = {
  memoryBytes: 2_048 * megabyte,
  wallMs: 600_000,
  fileBytes: 20_000 * megabyte,
};

/**
 * Measures a table of predictions (CSV, also packed with gzip, or Parquet) in a process of its own that sees no other
 * file. Never throws because of what is in it: what cannot be measured is refused by a rule and a sentence.
 */
export const measureTable = async (
  path: string,
  request: PredictionsRequest,
  options: { readonly signal?: AbortSignal; readonly limits?: StrangerLimits } = {},
): Promise<PredictionsAnswer> => {
  const said = await lookInto(path, {
    entry: './predictions/child',
    args: argumentsOf({ path, request }),
    heapMegabytes: 512,
    threads: 2,
    deed: 'measuring it',
    limits: options.limits ?? predictionLimits,
    signal: options.signal,
  });
  if ('refused' in said) return { accepted: false, rule: 'limits', reason: said.refused };
  const parsed = predictionsAnswer.safeParse(parseJson(said.text));
  if (parsed.success) return parsed.data;
  return {
    accepted: false,
    rule: 'unreadable',
    reason: 'the process that measured it gave no answer that can be read',
  };
};
