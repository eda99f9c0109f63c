import { v7 } from 'uuid';

/** A new time-ordered key (UUID version 7): sorting by it is sorting by creation. */
export const newId = (): string => v7();

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Whether a text is a UUID. */
export const isUuid = (text: string): boolean => uuid.test(text);
