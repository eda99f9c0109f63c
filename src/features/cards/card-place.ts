import type { ReadDb } from '../../kernel/db.js';
import { notFound } from '../../kernel/errors.js';
import type { Permission } from '../../kernel/permissions.js';
import { useCaseOr404 } from '../usecases/index.js';

interface Asking {
  readonly db: ReadDb;
  readonly may: (permission: Permission) => boolean;
}

/** Refuses a card that is not there. That of a deleted version is there for those who read the trail, and nobody else. */
export const requireCardPlace = async (
  { db, may }: Asking,
  { versionId, useCaseId }: { readonly versionId: string; readonly useCaseId: string },
): Promise<void> => {
  await useCaseOr404(db, useCaseId);
  const rows = await db.sql('select 1 from model_version where id = $1 and (deleted_at is null or $2)', [
    versionId,
    may('audit:read'),
  ]);
  if (rows.length === 0) throw notFound('The version of the model');
};
