/** The closed list of ways in which the product refuses. */
export const errorCodes = [
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'NOT_FOUND',
  'INVALID_INPUT',
  'CONFLICT',
  'PRECONDITION_FAILED',
  'RATE_LIMITED',
  'INTERNAL',
] as const;

/** One code of the closed list. */
export type ErrorCode = (typeof errorCodes)[number];

/** Facts about a refusal that a client may show or act on. */
export type ErrorDetails = Readonly<Record<string, unknown>>;

/**
 * A refusal: the request was understood and is answered with a code, a sentence for a person, and details.
 * Anything else that is thrown is a bug.
 */
export class AppError extends Error {
  override readonly name = 'AppError';

  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly details: ErrorDetails = {},
  ) {
    super(message);
  }
}

const statusOf: Record<ErrorCode, number> = {
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  INVALID_INPUT: 400,
  CONFLICT: 409,
  PRECONDITION_FAILED: 412,
  RATE_LIMITED: 429,
  INTERNAL: 500,
};

/** The HTTP status that belongs to a code. */
export const httpStatus = (code: ErrorCode): number => statusOf[code];

/** Refuses because something is absent, or not for the asker's eyes; both look the same. */
export const notFound = (what: string): AppError =>
  new AppError('NOT_FOUND', `${what} was not found in this workspace`);

/** Refuses because the state does not allow the request. */
export const conflict = (message: string, details: ErrorDetails = {}): AppError =>
  new AppError('CONFLICT', message, details);

/** Refuses input and names the fields at fault. */
export const invalidInput = (message: string, fields: readonly FieldFault[] = []): AppError =>
  new AppError('INVALID_INPUT', message, { fields });

/** One field at fault. */
export interface FieldFault {
  readonly path: string;
  readonly message: string;
}
