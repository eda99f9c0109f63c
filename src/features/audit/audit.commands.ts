import { z } from 'zod';
import { defineCommand } from '../../kernel/command.js';
import type { Tx } from '../../kernel/db.js';
import { conflict, notFound } from '../../kernel/errors.js';

interface ErasableSubject {
  readonly id: string;
  readonly keyId: string;
  readonly erasedAt: Date | null;
}

const lockSubject = async (tx: Tx, subjectId: string): Promise<ErasableSubject> => {
  const [row] = await tx.sql<ErasableSubject>(
    `select subject_id as id, id as "keyId", erased_at as "erasedAt" from subject_key where subject_id = $1 for update`,
    [subjectId],
  );
  if (!row) throw notFound('A person with sealed data under this id');
  return row;
};

/** Erases what is known of a person here. It cannot be undone. */
export const eraseSubject = defineCommand({
  name: 'subject.erase',
  describe:
    'Erases the key of a person in this workspace: everything sealed with it is unreadable for good, in the trail ' +
    'and in decisions, and every hash can still be checked. It cannot be undone.',
  permission: 'subject:erase',
  input: z
    .object({
      subjectId: z.string().min(1).max(200),
      confirmSubjectId: z.string().min(1).max(200).describe('The same id again, typed and not copied.'),
      reason: z
        .string()
        .trim()
        .min(1)
        .max(2000)
        .describe('Stands in the trail for good: name a case or a law, not a person.'),
    })
    .refine((input) => input.subjectId === input.confirmSubjectId, {
      path: ['confirmSubjectId'],
      error: 'is not the same id',
    }),
  target: (tx, input) => lockSubject(tx, input.subjectId),
  handle: async ({ tx, input, target, now }) => {
    if (target.erasedAt) {
      throw conflict('The data of this person was erased before', {
        erasedAt: target.erasedAt.toISOString(),
      });
    }
    await tx.sql('update subject_key set wrapped_key = null, erased_at = $2 where id = $1', [
      target.keyId,
      now,
    ]);
    return {
      result: { id: target.id },
      audit: {
        subject: { kind: 'subject', id: target.id },
        changes: { key: { from: 'present', to: 'erased' } },
        facts: { reason: input.reason },
      },
    };
  },
});
