import type { ReadDb } from '../../kernel/db.js';
import { verdictAt } from '../evaluations/index.js';
import { staleEffect, type StaleEffect } from './policy-document.js';

/**
 * What was approved for the case that the evidence a change rests on is stale, if it is stale now: past its date, or
 * made stale by an event. A date alone moves nothing: it only leads to what people approved beforehand.
 */
export const staleEffectNow = async (
  db: ReadDb,
  changeRequestId: string,
  now: Date,
): Promise<StaleEffect> => {
  const [row] = await db.sql<{ effect: string | null; stale: boolean }>(
    `select c.manifest #>> '{entries,whenStale}' as effect,
            exists (
              select from jsonb_each(c.manifest -> 'entries') as entry
               cross join lateral (
                 select * from evidence n
                  where n.version_id = c.version_id and n.use_case_id = c.use_case_id
                    and n.kind = substr(entry.key, 10) order by n.id desc limit 1) e
               where entry.key like 'evidence.%' and entry.value -> 'required' = 'true'
                 and ${verdictAt('$2')} = 'STALE') as stale
       from change_request c where c.id = $1`,
    [changeRequestId, now],
    'approvals.staleEffect',
  );
  const effect = staleEffect.safeParse(row?.effect);
  return row?.stale === true && effect.success ? effect.data : 'CONTINUE';
};
