import { AppError, errorCodes, type ErrorCode, type ErrorDetails } from '../kernel/errors.js';

/** What the pool asks a thread. */
export interface Question {
  readonly id: number;
  readonly task: string;
  readonly input: unknown;
}

/** An error as it crosses between threads: a refusal keeps its code, any other error its name and stack. */
export interface CrossedError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | null;
  readonly refusal: { readonly code: ErrorCode; readonly details: ErrorDetails } | null;
}

/** What a thread answers. */
export type Answer =
  | { readonly id: number; readonly ok: true; readonly output: unknown }
  | { readonly id: number; readonly ok: false; readonly error: CrossedError };

/** Makes an error fit to be sent. */
export const sendError = (error: unknown): CrossedError => {
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  const refusal = error instanceof AppError ? { code: error.code, details: error.details } : null;
  return { name, message, stack: stack ?? null, refusal };
};

/** The error that was sent. */
export const receiveError = ({ name, message, stack, refusal }: CrossedError): Error => {
  if (refusal !== null && errorCodes.includes(refusal.code))
    return new AppError(refusal.code, message, refusal.details);
  const error = new Error(message);
  error.name = name;
  if (stack !== null) error.stack = stack;
  return error;
};
