import type { FastifyError, FastifyInstance } from 'fastify';
import { AppError } from '../kernel/errors.js';
import { refusalOf, type FormatError } from './errors.js';
import { operationLimits } from './limits.js';

/** What Fastify refuses before the door sees it, in our words. */
const ofFastify = (error: FastifyError): AppError => {
  const details = { http: error.code };
  switch (error.code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new AppError('INVALID_INPUT', `The body has more than ${String(operationLimits.bytes)} bytes`, {
        rule: 'graphql-bytes',
        limit: operationLimits.bytes,
        ...details,
      });
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new AppError(
        'INVALID_INPUT',
        'The body must be JSON, with content-type application/json',
        details,
      );
    default:
      return new AppError(
        'INVALID_INPUT',
        'The body is not valid JSON, or has a key that is never accepted (__proto__, constructor.prototype)',
        details,
      );
  }
};

const isRefusalOfFastify = (error: unknown): error is FastifyError =>
  error instanceof Error &&
  'statusCode' in error &&
  typeof error.statusCode === 'number' &&
  error.statusCode < 500 &&
  !(error instanceof AppError);

/** Every refusal at this door is a GraphQL answer with `errors`, also before GraphQL sees the request. */
export const answerRefusals = (
  server: FastifyInstance,
  format: FormatError,
  headers: Readonly<Record<string, string>>,
): void => {
  server.setErrorHandler((error, _request, reply) => {
    const byFastify = isRefusalOfFastify(error);
    const { status, body } = refusalOf(byFastify ? ofFastify(error) : error, format);
    if (status === 401) void reply.header('www-authenticate', 'Bearer');
    const wait = error instanceof AppError ? error.details['retryAfterSeconds'] : undefined;
    if (typeof wait === 'number') void reply.header('retry-after', String(wait));
    return reply
      .code(byFastify ? (error.statusCode ?? 400) : status)
      .type('application/json; charset=utf-8')
      .headers(headers)
      .send(body);
  });
};
