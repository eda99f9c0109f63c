import type { ReadDb } from '../../kernel/db.js';
import { AppError } from '../../kernel/errors.js';
import { isProtected } from '../registry/index.js';

/** Something else must happen first; names the rule. */
export const precondition = (rule: string, sentence: string, details: object = {}): AppError =>
  new AppError('PRECONDITION_FAILED', sentence, { rule, ...details });

/** Refuses an alias that anybody with the right can set without a request. */
export const requireProtected = async (db: ReadDb, alias: string): Promise<void> => {
  if (await isProtected(db, alias)) return;
  throw precondition('not-protected', `The alias ${alias} is not protected: set it with setAlias`, {
    next: 'setAlias',
  });
};
