import { ConfigError } from '../config.js';
import { AppError } from '../kernel/errors.js';

/** Thrown with a sentence for the person at the keyboard; no stack is shown. */
export class CliError extends Error {
  override readonly name = 'CliError';

  constructor(
    message: string,
    /** 2 for what the person can set right in the environment or the command line, 1 for everything else. */
    readonly exitCode: 1 | 2 = 1,
  ) {
    super(message);
  }
}

const forPeople = new Set(['CliError', 'EmbeddedServiceError']);

/** What is printed of an error: sentences as they are, anything else with its stack, because it is a bug. */
export const printed = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof ConfigError || error instanceof AppError || forPeople.has(error.name))
    return error.message;
  const code = 'code' in error ? error.code : undefined;
  if (code === 'ECONNREFUSED' || code === 'ENOTFOUND') return `A server cannot be reached: ${error.message}`;
  return error.stack ?? error.message;
};

/** How the program ends after an error. */
export const exitCodeOf = (error: unknown): number => {
  if (error instanceof CliError) return error.exitCode;
  return error instanceof ConfigError ? 2 : 1;
};
