import type { Tx } from '../../../kernel/db.js';
import { notFound } from '../../../kernel/errors.js';
import { Evaluation } from '../evaluation.entity.js';

/** The evaluation, locked until the transaction ends, or NOT_FOUND. */
export const lockEvaluation = async (tx: Tx, id: string): Promise<Evaluation> => {
  const evaluation = await tx.lock(Evaluation, { id });
  if (!evaluation) throw notFound('The evaluation');
  return evaluation;
};
