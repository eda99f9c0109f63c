/** Takes lines for the person who started the program; `details` are for the log file. */
export type Log = (message: string, details?: object) => void;

/** An error whose message is a sentence for the person who started the program. */
export function fault(sentence: string, cause?: unknown): Error {
  const error = cause === undefined ? new Error(sentence) : new Error(sentence, { cause });
  error.name = 'EmbeddedServiceError';
  return error;
}

/** The code of a failed system call (`ENOENT`, `EACCES`, …), if it is one. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** The message of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Says `sentence` when the work is still going on after a second, so that quick work stays silent. */
export async function withProgress<T>(log: Log, sentence: string, work: Promise<T>): Promise<T> {
  const timer = setTimeout(() => {
    log(sentence);
  }, 1_000);
  try {
    return await work;
  } finally {
    clearTimeout(timer);
  }
}
