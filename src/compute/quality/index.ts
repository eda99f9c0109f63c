import type { DataExpectation } from '../../kernel/data-expectations.js';
import { argumentsOf, lookInto, type StrangerLimits } from '../stranger.js';
import { parseJson } from '../table/fault.js';
import { qualityAnswer, type QualityAnswer } from './report.js';

const megabyte = 1_048_576;

/** The engine streams: a file may be far larger than what it may hold. */
export const qualityLimits: StrangerLimits = {
  memoryBytes: 1_536 * megabyte,
  wallMs: 300_000,
  fileBytes: 20_000 * megabyte,
};

/** What is asked of a file. */
export interface QualityRequest {
  readonly expectations: readonly DataExpectation[];
  /** The time that freshness is measured at. */
  readonly now: Date;
  readonly limits?: StrangerLimits;
  readonly signal?: AbortSignal;
}

/** Checks a CSV (also packed with gzip) or Parquet file in a process of its own that sees no other file. */
export const checkQuality = async (path: string, request: QualityRequest): Promise<QualityAnswer> => {
  const { expectations, now, signal } = request;
  const said = await lookInto(path, {
    entry: './quality/child',
    args: argumentsOf({ path, expectations, now: now.toISOString() }),
    heapMegabytes: 256,
    threads: 2,
    deed: 'checking it',
    limits: request.limits ?? qualityLimits,
    signal,
  });
  if ('refused' in said) return { accepted: false, reason: said.refused };
  const parsed = qualityAnswer.safeParse(parseJson(said.text));
  if (parsed.success) return parsed.data;
  return { accepted: false, reason: 'the process that checked it gave no answer that can be read' };
};
