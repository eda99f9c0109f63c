import { lookInto, type StrangerLimits } from '../stranger.js';
import { answer, type Answer } from './report.js';

/** Enough for what scores in milliseconds; a model of hundreds of megabytes is another product. */
export const defaultLimits: StrangerLimits = {
  memoryBytes: 1_536 * 1_048_576,
  wallMs: 60_000,
  fileBytes: 256 * 1_048_576,
};

const heapMegabytes = 512;

/** Opens an ONNX file in a process of its own, as {@link lookInto} describes, and says what it is. */
export const inspectOnnx = async (
  path: string,
  options: { limits?: StrangerLimits; signal?: AbortSignal } = {},
): Promise<Answer> => {
  const said = await lookInto(path, {
    entry: './intake/child',
    heapMegabytes,
    threads: 1,
    deed: 'opening it',
    limits: options.limits ?? defaultLimits,
    signal: options.signal,
  });
  if ('refused' in said) return { accepted: false, reason: said.refused };
  const parsed = answer.safeParse(parseJson(said.text));
  if (parsed.success) return parsed.data;
  return { accepted: false, reason: 'the process that opened it failed, most likely for want of memory' };
};

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
};
