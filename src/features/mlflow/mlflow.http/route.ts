import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Actor } from '../../../kernel/actor.js';
import { AppError } from '../../../kernel/errors.js';
import { parseInput } from '../../../kernel/input.js';
import type { DoorParts } from '../../../http/server.js';

/** What a route of the protocol is given. */
export interface Call extends Pick<DoorParts, 'run' | 'ask' | 'record'> {
  readonly actor: Actor;
  /** The public address of this server, for links. */
  readonly url: string;
}

/** One route: parameters of the path, of the query and of the body are read as one input. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly answer: (call: Call, input: unknown) => Promise<object>;
}

/** Declares a route. */
export const route = <Schema extends z.ZodType>(
  method: Route['method'],
  path: string,
  input: Schema,
  handle: (call: Call, input: z.output<Schema>) => Promise<object>,
): Route => ({ method, path, answer: (call, raw) => handle(call, parseInput(input, raw)) });

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Everything that a request says, null left out as if it were not there. */
export const saidBy = (request: FastifyRequest): Record<string, unknown> => {
  const { body, query, params } = request;
  if (body !== undefined && body !== null && !isObject(body)) {
    throw new AppError('INVALID_INPUT', 'The body must be a JSON object', { fields: [] });
  }
  const all = { ...(isObject(query) ? query : {}), ...(body ?? {}), ...(isObject(params) ? params : {}) };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null));
};

/*
 * What inputs are made of. The protocol sends numbers as numbers in bodies and as text in queries, and repeats a
 * query's parameter for a list.
 */

/** A list, also when a query gives one value. */
export const many = <Item extends z.ZodType>(item: Item, most: number) =>
  z.preprocess(
    (value) => (value === undefined || Array.isArray(value) ? value : [value]),
    z.array(item).max(most).default([]),
  );

/** A text that must be there. */
export const required = (most: number) =>
  z.string({ error: 'is missing or no text' }).min(1, 'must not be empty').max(most);

/** A text that may be missing. */
export const optional = (most: number) => z.string().max(most).nullish();

/** A version's number, however it is sent. */
export const versionText = z.union([z.string().max(100), z.number()]).transform(String);

/** How many results at most; more than is allowed is refused as the protocol does. */
export const maxResults = (usual: number, most: number) =>
  z.coerce
    .number()
    .int()
    .min(1, 'must be at least 1')
    .max(most, `must be at most ${String(most)}`)
    .default(usual);

/** The parameters of every search. */
export const searching = {
  filter: optional(100_000),
  order_by: many(z.string().max(10_000), 100),
  page_token: optional(10_000),
};

/** Keys with values. */
export const keyValues = (most: number) =>
  z
    .array(z.object({ key: z.string().max(10_000), value: z.string().default('') }))
    .max(most)
    .nullish()
    .transform((all) => all ?? []);

/** Keys with values as an object; the last of a key wins. */
export const asObject = (all: readonly { key: string; value: string }[]): Record<string, string> =>
  Object.fromEntries(all.map(({ key, value }) => [key, value]));

/** The token of the next page, left out at the end. */
export const nextPage = (token: string | null): { next_page_token?: string } =>
  token === null ? {} : { next_page_token: token };
