import { lookInto, type StrangerLimits } from '../stranger.js';
import { parseJson } from '../table/fault.js';
import { profileAnswer, type ProfileAnswer } from './report.js';

export type { DataProfile, ProfileAnswer } from './report.js';

const megabyte = 1_048_576;

/** The engine streams: a file may be far larger than what it may hold. */
export const profileLimits: StrangerLimits = {
  memoryBytes: 1_536 * megabyte,
  wallMs: 300_000,
  fileBytes: 20_000 * megabyte,
};

/** How large the data is that may be looked at; only tests ask for less. */
export interface ProfileOptions {
  readonly protectedAttributes: readonly string[];
  readonly limits?: StrangerLimits;
  readonly signal?: AbortSignal;
}

/** Profiles a CSV (also packed with gzip) or Parquet file in a process of its own that sees no other file. */
export const profileData = async (path: string, options: ProfileOptions): Promise<ProfileAnswer> => {
  const said = await lookInto(path, {
    entry: './profile/child',
    args: [JSON.stringify({ path, protectedAttributes: options.protectedAttributes })],
    heapMegabytes: 256,
    threads: 2,
    deed: 'profiling it',
    limits: options.limits ?? profileLimits,
    signal: options.signal,
  });
  if ('refused' in said) return { accepted: false, reason: said.refused };
  const parsed = profileAnswer.safeParse(parseJson(said.text));
  if (parsed.success) return parsed.data;
  return { accepted: false, reason: 'the process that profiled it gave no answer that can be read' };
};
