import { randomUUID } from 'node:crypto';
import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import { AppError, httpStatus } from '../kernel/errors.js';
import type { Log } from '../kernel/log.js';

const causeOf = (error: unknown): unknown => {
  let cause = error;
  while (cause instanceof GraphQLError && cause.originalError) cause = cause.originalError;
  return cause;
};

const badRequestCodes = new Set([
  'GRAPHQL_PARSE_FAILED',
  'GRAPHQL_VALIDATION_FAILED',
  'BAD_USER_INPUT',
  'BAD_REQUEST',
  'OPERATION_RESOLUTION_FAILURE',
]);

/** What GraphQL itself finds wrong with a request has no place in the answer; what a resolver threw has one. */
const faultOfRequest = (formatted: GraphQLFormattedError, cause: unknown): string | null => {
  const code = formatted.extensions?.['code'];
  if (typeof code === 'string' && badRequestCodes.has(code)) return code;
  return cause instanceof GraphQLError && formatted.path === undefined ? 'GRAPHQL_VALIDATION_FAILED' : null;
};

/** graphql-js gives up where the same fields are compared too often, and says only that it did. */
export const inWords = (message: string): string =>
  message === 'Validation aborted.'
    ? 'The document repeats so many fields that it was not checked to the end; name each field once'
    : message;

const suggestion = / Did you mean .*\?$/;

/** The only place where an error becomes an answer of the GraphQL door. */
export const errorFormatter =
  (log: Log, options: { readonly suggestions: boolean } = { suggestions: true }) =>
  (formatted: GraphQLFormattedError, error: unknown): GraphQLFormattedError => {
    const cause = causeOf(error);
    const place = {
      ...(formatted.path ? { path: formatted.path } : {}),
      ...(formatted.locations ? { locations: formatted.locations } : {}),
    };
    if (cause instanceof AppError) {
      return { message: cause.message, ...place, extensions: { code: cause.code, details: cause.details } };
    }
    const fault = faultOfRequest(formatted, cause);
    if (fault !== null) {
      const message = inWords(formatted.message);
      return {
        message: options.suggestions ? message : message.replace(suggestion, ''),
        ...place,
        extensions: { code: 'INVALID_INPUT', details: { graphql: fault } },
      };
    }
    const errorId = randomUUID();
    log.error({ err: cause, errorId }, 'A request failed');
    return {
      message: `Something went wrong on our side. Quote ${errorId} when you report it.`,
      ...place,
      extensions: { code: 'INTERNAL', errorId },
    };
  };

/** Formats an error of the door. */
export type FormatError = ReturnType<typeof errorFormatter>;

/** The answer to a request that was refused before it was executed. */
export const refusalOf = (
  error: unknown,
  format: FormatError,
): { readonly status: number; readonly body: { readonly errors: readonly GraphQLFormattedError[] } } => {
  const status =
    error instanceof AppError ? httpStatus(error.code) : error instanceof GraphQLError ? 400 : 500;
  const plain = error instanceof GraphQLError ? error.toJSON() : { message: '' };
  return { status, body: { errors: [format(plain, error)] } };
};
