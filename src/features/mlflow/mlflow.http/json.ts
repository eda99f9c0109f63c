import type { FastifyRequest } from 'fastify';
import { invalidInput } from '../../../kernel/errors.js';

const deepest = 32;

/** How deep a JSON text goes; reads it letter by letter, because what is too deep must not be parsed. */
const isTooDeep = (text: string): boolean => {
  let depth = 0;
  let isQuoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const letter = text.charCodeAt(at);
    if (isQuoted) {
      if (letter === 0x5c) at += 1;
      else if (letter === 0x22) isQuoted = false;
    } else if (letter === 0x22) isQuoted = true;
    else if (letter === 0x5b || letter === 0x7b) {
      depth += 1;
      if (depth > deepest) return true;
    } else if (letter === 0x5d || letter === 0x7d) depth -= 1;
  }
  return false;
};

/** Parses a body, whatever type it says it has: some clients say none. An empty one is an empty object. */
export const parseJson = (
  _request: FastifyRequest,
  text: string | Buffer,
  done: (error: Error | null, body?: unknown) => void,
): void => {
  const body = text.toString();
  if (body.trim() === '') {
    done(null, {});
    return;
  }
  if (isTooDeep(body)) {
    done(invalidInput(`The body is nested deeper than ${String(deepest)} levels`));
    return;
  }
  try {
    done(null, JSON.parse(body));
  } catch {
    done(invalidInput('The body is not valid JSON'));
  }
};
