import type { ReadDb } from '../../kernel/db.js';
import { AppError } from '../../kernel/errors.js';
import { staleEffectNow, type StaleEffect } from '../approvals/index.js';
import { foldName, isProtected } from '../registry/index.js';

/** What an endpoint serves, or would serve: an alias of a model in one use case. */
export interface Served {
  readonly slug: string;
  readonly modelId: string;
  readonly alias: string;
  readonly useCaseId: string;
}

/** The version that people approved for this use. */
export interface ApprovedVersion {
  readonly id: string;
  readonly digest: string | null;
  readonly state: string;
  /** What was approved for stale evidence, if it is stale now; CONTINUE otherwise. */
  readonly staleEffect: StaleEffect;
}

interface Row extends Omit<ApprovedVersion, 'staleEffect'> {
  readonly change_request_id: string;
  readonly when_stale: string | null;
  readonly use_case_id: string | null;
  /** The alias that the executed request approved for this very version and use; null when there is none. */
  readonly approved_alias: string | null;
}

const refusal = (message: string, { slug, alias }: Served): AppError =>
  new AppError('PRECONDITION_FAILED', message, { rule: 'not-approved', endpoint: slug, alias });

/**
 * What the alias names now; null when it names nothing. Refuses what did not come there through an executed change
 * request about this version, alias and use case, and an alias that the policy in force no longer protects.
 */
export const approvedVersion = async (
  db: ReadDb,
  served: Served,
  now: Date,
): Promise<ApprovedVersion | null> => {
  const { slug, alias, modelId, useCaseId } = served;
  const folded = foldName(alias);
  const [row] = await db.sql<Row>(
    `select v.id, v.digest, v.state, a.use_case_id, c.alias as approved_alias, c.id as change_request_id,
            c.manifest #>> '{entries,whenStale}' as when_stale
       from model_alias a
       join model_version v on v.id = a.version_id
       left join change_request c on c.id = a.change_request_id and c.kind = 'ALIAS' and c.state = 'EXECUTED'
        and c.version_id = a.version_id and c.use_case_id = a.use_case_id
      where a.model_id = $1 and a.folded = $2 and v.deleted_at is null`,
    [modelId, folded],
    'endpoint.approvedVersion',
  );
  if (!row) return null;
  if (row.approved_alias === null || foldName(row.approved_alias) !== folded) {
    throw refusal(
      `What stands under ${alias} was never approved: ask with requestPromotion, so that it may decide`,
      served,
    );
  }
  if (row.use_case_id !== useCaseId) {
    throw refusal(`What stands under ${alias} was approved for another use than that of ${slug}`, served);
  }
  if (!(await isProtected(db, alias))) {
    throw refusal(
      `The policy in force does not protect ${alias}, so what stands under it does not decide: protect it with proposePolicy`,
      served,
    );
  }
  // Read only where something else than going on was approved: this is asked for every decision.
  const hasEffect = row.when_stale !== null && row.when_stale !== 'CONTINUE';
  const staleEffect = hasEffect ? await staleEffectNow(db, row.change_request_id, now) : 'CONTINUE';
  return { id: row.id, digest: row.digest, state: row.state, staleEffect };
};
