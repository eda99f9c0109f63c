import { notFound } from '../../kernel/errors.js';

/*
 * Clients know runs as 32 hexadecimal digits and logged models as `m-` and 32 of them; here both are UUIDs.
 */

// The digits of a UUID: version and variant have their places.
const hex32 = /^[0-9a-f]{12}[1-8][0-9a-f]{3}[89ab][0-9a-f]{15}$/;

/** A UUID without its hyphens. */
export const hexOf = (id: string): string => id.replaceAll('-', '');

const fromHex = (hex: string): string | null =>
  hex32.test(hex)
    ? `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
    : null;

/** The id of a logged model as clients know it. */
export const loggedModelId = (id: string): string => `m-${hexOf(id)}`;

/** The UUID behind a run's id, or null when it has not the form of one. */
export const parseRunId = (text: string): string | null => fromHex(text.toLowerCase());

/** The UUID behind a logged model's id, or null when it has not the form of one. */
export const parseLoggedModelId = (text: string): string | null =>
  text.startsWith('m-') ? fromHex(text.slice(2).toLowerCase()) : null;

/** The UUID behind a run's id; what has another form is not found. */
export const runIdOf = (text: string): string => {
  const id = parseRunId(text);
  if (id === null) throw notFound(`Run with id=${text.slice(0, 64)}`);
  return id;
};

/** The UUID behind a logged model's id; what has another form is not found. */
export const loggedModelIdOf = (text: string): string => {
  const id = parseLoggedModelId(text);
  if (id === null) throw notFound(`Logged model with id=${text.slice(0, 64)}`);
  return id;
};
