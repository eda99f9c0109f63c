import { z } from 'zod';
import type { ReadDb } from '../../kernel/db.js';
import { notFound } from '../../kernel/errors.js';
import { defineQuery } from '../../kernel/query.js';
import { useCaseOr404 } from '../usecases/index.js';
import { checksOf, type CheckView } from './check-rules.js';
import { sarifOf, type SarifResult, type SarifSubject } from './sarif.js';

export const checks = defineQuery({
  name: 'check.list',
  describe: 'Every check of a version in a use case: its verdict, what it rests on and which right moves it.',
  permission: 'evidence:read',
  input: z.object({ versionId: z.uuid(), useCaseId: z.uuid() }),
  handle: async ({ db, input, now }): Promise<CheckView[]> => {
    await useCaseOr404(db, input.useCaseId);
    return checksOf(db, input, now);
  },
});

/** What a log of results is about. */
export const sarifSubject = async (
  db: ReadDb,
  { versionId, useCaseId }: { readonly versionId: string; readonly useCaseId: string },
): Promise<SarifSubject> => {
  const [row] = await db.sql<SarifSubject>(
    `select m.name as model, v.version, v.digest, u.slug as "useCase"
       from model_version v join registered_model m on m.id = v.model_id join use_case u on u.id = $2
      where v.id = $1`,
    [versionId, useCaseId],
  );
  if (!row) throw notFound('The version or the use case');
  return row;
};

const resultOf = ({ name, title, message, verdict, evidenceIds, permission }: CheckView): SarifResult => ({
  rule: name,
  title,
  message,
  level: verdict === 'FAIL' ? 'error' : 'warning',
  verdict,
  evidenceIds,
  permission,
});

export const checksAsSarif = defineQuery({
  name: 'check.sarif',
  describe: 'The checks of a version in a use case that do not pass, as SARIF 2.1.0.',
  permission: 'evidence:read',
  input: z.object({ versionId: z.uuid(), useCaseId: z.uuid() }),
  handle: async ({ db, input, now }): Promise<object> => {
    const subject = await sarifSubject(db, input);
    const failing = (await checksOf(db, input, now)).filter((one) => one.verdict !== 'PASS');
    return sarifOf(subject, failing.map(resultOf));
  },
});
