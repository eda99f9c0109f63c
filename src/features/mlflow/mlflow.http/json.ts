import type { FastifyRequest } from 'fastify';
import { invalidInput } from '../../../kernel/errors.js';

const deepest = 32;

const [quote, backslash] = [0x22, 0x5c];
const steps: Readonly<Record<number, number>> = { 0x5b: 1, 0x7b: 1, 0x5d: -1, 0x7d: -1 };

/** Where a text in quotes ends that begins at a place. */
const endOfText = (text: string, from: number): number => {
  let at = from + 1;
  while (at < text.length && text.charCodeAt(at) !== quote) at += text.charCodeAt(at) === backslash ? 2 : 1;
  return at;
};

/** Whether a JSON text is too deep; reads it letter by letter, because what is too deep must not be parsed. */
const isTooDeep = (text: string): boolean => {
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    const letter = text.charCodeAt(at);
    if (letter === quote) at = endOfText(text, at);
    depth += steps[letter] ?? 0;
    if (depth > deepest) return true;
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
