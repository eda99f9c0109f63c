import { randomUUID } from 'node:crypto';
import type { FastifyError, FastifyInstance, FastifyReply } from 'fastify';
import { AppError, httpStatus, type ErrorCode } from '../kernel/errors.js';
import type { Log } from '../kernel/log.js';

/** The body of every error that the HTTP door answers. */
export interface ErrorBody {
  readonly error: { readonly code: ErrorCode; readonly message: string; readonly details: object };
}

interface Answer {
  readonly status: number;
  readonly body: ErrorBody;
}

const bodyOf = (code: ErrorCode, message: string, details: object = {}): ErrorBody => ({
  error: { code, message, details },
});

/** Refusals of Fastify itself, in our words. */
const ofFastify: Readonly<Record<string, { status: number; message: string }>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: { status: 413, message: 'The body is larger than this address accepts' },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: { status: 415, message: 'This address does not accept that content type' },
  FST_ERR_CTP_EMPTY_JSON_BODY: {
    status: 400,
    message: 'The body is empty, although its content type is JSON',
  },
  FST_ERR_CTP_INVALID_JSON_BODY: {
    status: 400,
    message:
      'The body is not valid JSON, or has a key that is never accepted (__proto__, constructor.prototype)',
  },
  FST_ERR_BAD_URL: { status: 400, message: 'The address holds an escape that stands for no character' },
  FST_ERR_MAX_PARAM_LENGTH: { status: 414, message: 'A part of the address is too long' },
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: { status: 400, message: 'The body has another length than it says' },
};

const isFastifyError = (error: unknown): error is FastifyError =>
  error instanceof Error && 'statusCode' in error && 'code' in error;

/** Turns what was thrown into an answer; a bug becomes a number under which the log has it. */
export const answerOf = (error: unknown, log: Log): Answer => {
  if (error instanceof AppError) {
    return { status: httpStatus(error.code), body: bodyOf(error.code, error.message, error.details) };
  }
  if (isFastifyError(error) && (error.statusCode ?? 500) < 500) {
    const known = ofFastify[error.code];
    const status = known?.status ?? error.statusCode ?? 400;
    const message = known?.message ?? 'The request is not valid';
    return { status, body: bodyOf('INVALID_INPUT', message, { http: error.code }) };
  }
  const errorId = randomUUID();
  log.error({ err: error, errorId }, 'A request failed');
  const message = `Something went wrong on our side. Quote ${errorId} when you report it.`;
  return { status: 500, body: bodyOf('INTERNAL', message, { errorId }) };
};

/** Answers an error, also where Fastify asks no handler: before it knows which address is meant. */
export const sendError = (reply: FastifyReply, error: unknown, log: Log): FastifyReply => {
  const { status, body } = answerOf(error, log);
  if (status === 401) void reply.header('www-authenticate', 'Bearer');
  const wait = error instanceof AppError ? error.details['retryAfterSeconds'] : undefined;
  if (typeof wait === 'number') void reply.header('retry-after', String(wait));
  return reply
    .code(status)
    .type('application/json; charset=utf-8')
    .header('cache-control', 'no-store')
    .send(body);
};

/** Makes every thrown error an answer of one shape. */
export const answerErrors = (server: FastifyInstance, log: Log): void => {
  server.setErrorHandler((error, _request, reply) => sendError(reply, error, log));
  server.setNotFoundHandler((request, reply) => {
    const message = `There is nothing at ${request.method} ${request.url.split('?')[0] ?? '/'}`;
    return sendError(reply, new AppError('NOT_FOUND', message), log);
  });
};
