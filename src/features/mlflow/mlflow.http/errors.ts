import type { FastifyReply } from 'fastify';
import { answerOf } from '../../../http/errors.js';
import { AppError } from '../../../kernel/errors.js';
import type { Log } from '../../../kernel/log.js';

/** An error as clients of MLflow read it; what else it holds is for people and tools that know us. */
interface ProtocolError {
  readonly status: number;
  readonly code: string;
}

/** Never one of 408, 429 or 5xx for a refusal: clients send those again, seven times, before they say anything. */
const ofCode: Readonly<Record<string, ProtocolError>> = {
  UNAUTHENTICATED: { status: 401, code: 'UNAUTHENTICATED' },
  FORBIDDEN: { status: 403, code: 'PERMISSION_DENIED' },
  NOT_FOUND: { status: 404, code: 'RESOURCE_DOES_NOT_EXIST' },
  INVALID_INPUT: { status: 400, code: 'INVALID_PARAMETER_VALUE' },
  CONFLICT: { status: 409, code: 'RESOURCE_CONFLICT' },
  PRECONDITION_FAILED: { status: 400, code: 'INVALID_PARAMETER_VALUE' },
  RATE_LIMITED: { status: 429, code: 'REQUEST_LIMIT_EXCEEDED' },
  INTERNAL: { status: 500, code: 'INTERNAL_ERROR' },
};

const internal: ProtocolError = { status: 500, code: 'INTERNAL_ERROR' };

/** Rules whose refusal clients know by another name than that of its code. */
const ofRule: Readonly<Record<string, ProtocolError>> = {
  'name-taken': { status: 400, code: 'RESOURCE_ALREADY_EXISTS' },
  'name-reads-alike': { status: 400, code: 'INVALID_PARAMETER_VALUE' },
  'param-fixed': { status: 400, code: 'INVALID_PARAMETER_VALUE' },
  deleted: { status: 400, code: 'INVALID_PARAMETER_VALUE' },
  'protected-alias': { status: 403, code: 'PERMISSION_DENIED' },
  // Said at once: of a 502 or 503 clients would tell nobody for minutes, and then not what was said.
  'upstream-unreachable': { status: 424, code: 'TEMPORARILY_UNAVAILABLE' },
  'upstream-answer': { status: 424, code: 'INTERNAL_ERROR' },
  'not-served': { status: 404, code: 'ENDPOINT_NOT_FOUND' },
};

const protocolErrorOf = (code: string, details: object): ProtocolError => {
  const rule = 'rule' in details ? String(details.rule) : '';
  return ofRule[rule] ?? ofCode[code] ?? internal;
};

/** Answers an error in the protocol's words. */
export const sendProtocolError = (reply: FastifyReply, error: unknown, log: Log): FastifyReply => {
  const { body } = answerOf(error, log);
  const { code, message, details } = body.error;
  const { status, code: errorCode } = protocolErrorOf(code, details);
  const wait = error instanceof AppError ? error.details['retryAfterSeconds'] : undefined;
  if (typeof wait === 'number') void reply.header('retry-after', String(wait));
  if (status === 401) void reply.header('www-authenticate', 'Basic realm="countersign", charset="UTF-8"');
  return reply
    .code(status)
    .type('application/json; charset=utf-8')
    .header('cache-control', 'no-store')
    .send({ error_code: errorCode, message, details });
};
