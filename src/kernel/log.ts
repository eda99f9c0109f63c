import { pino, type Logger } from 'pino';
import { sqlState } from './db.js';
import { currentTrace } from './trace.js';

/** The structured log; every line carries the id of the request that caused it. */
export type Log = Logger;

const removed = '[removed]';

/** Names of what is secret or tells something of a person, at the end of a key: `apiToken`, `set-cookie`, `user_email`. */
const secret =
  /(password|passphrase|secret|tokens?|authorization|cookies?|credentials?|private_?key|personal|inputs|parameters|email|display_?name|sealed|wrapped_?key)$/i;

const deepest = 8;

/** A copy without secrets and personal data, which are cut out by name wherever they turn up. */
const clean = (value: unknown, depth = 0): unknown => {
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  if (value instanceof Error) return describe(value, depth);
  if (depth === deepest || ArrayBuffer.isView(value)) return removed;
  if (Array.isArray(value)) return value.map((item) => clean(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      secret.test(key) && inner !== null && inner !== undefined ? removed : clean(inner, depth + 1),
    ]),
  );
};

/** What PostgreSQL says of a value (class 22) and of a broken constraint (class 23) may quote the value. */
const quotesValues = (error: Error): boolean => /^2[23]/.test(sqlState(error) ?? '');

/**
 * What of an error is logged: its own words and where it happened. Errors of the database also carry the statement's
 * parameters and details of rows; those stay out.
 */
const describe = (error: Error, depth = 0): object => {
  const code = sqlState(error);
  const constraint =
    'constraint' in error && typeof error.constraint === 'string' ? error.constraint : undefined;
  const message = quotesValues(error) ? `The database refused a value (${code ?? ''})` : error.message;
  const stack = quotesValues(error) ? error.stack?.replace(error.message, message) : error.stack;
  const cause = error.cause === undefined || depth === deepest ? undefined : clean(error.cause, depth + 1);
  return { type: error.name, message, code, constraint, stack, cause };
};

const cleanObject = (value: object): Record<string, unknown> => ({ ...(clean(value) as object) });

/** Opens the log. Secrets and personal data are cut out by name, wherever they turn up. */
export const openLog = (
  options: { level: string; name?: string },
  destination?: { write(line: string): void },
): Log => {
  const settings = {
    level: options.level,
    ...(options.name === undefined ? {} : { name: options.name }),
    formatters: { log: cleanObject },
    // Errors are described already; pino's own serializer would flatten that.
    serializers: { err: (described: unknown) => described },
    mixin: () => {
      const trace = currentTrace();
      return trace ? { requestId: trace.requestId, door: trace.door } : {};
    },
  };
  return cleaningChildren(destination ? pino(settings, destination) : pino(settings));
};

/** pino formats what a line adds, and not what a child carries along; children inherit this from their parents. */
const cleaningChildren = (log: Log): Log => {
  const make: unknown = Reflect.get(log, 'child');
  if (typeof make !== 'function') throw new Error('The log cannot make children');
  const child = function child(this: Log, bindings: object, ...options: unknown[]): Log {
    return Reflect.apply(make, this, [cleanObject(bindings), ...options]) as Log;
  };
  return Object.assign(log, { child });
};
