import type { ReadDb } from '../../kernel/db.js';
import { notFound } from '../../kernel/errors.js';
import { verdictAt, type EvidenceKind } from '../evaluations/index.js';
import { foldName, type VersionState } from '../registry/index.js';
import type { RiskTier } from '../usecases/index.js';
import type { EvidenceEntry } from './manifest.js';

/** What moves: an alias of a model, to a version, for a use. */
export interface AliasTarget {
  readonly versionId: string;
  readonly alias: string;
  readonly useCaseId: string;
}

/** A version as a manifest names it. */
export interface NamedVersion {
  readonly id: string;
  readonly version: number;
  readonly digest: string | null;
}

/** What stands in the registry about a move, read in one statement. */
export interface AliasFacts {
  readonly modelId: string;
  readonly modelName: string;
  readonly modelKind: string;
  /** The alias as the model writes it already, else as it was asked for. */
  readonly alias: string;
  readonly to: NamedVersion;
  readonly state: VersionState;
  readonly stateMessage: string;
  readonly deleted: boolean;
  readonly from: NamedVersion | null;
  readonly fromUseCaseId: string | null;
  readonly useCase: {
    readonly id: string;
    readonly name: string;
    readonly purpose: string;
    readonly riskTier: RiskTier;
    readonly ownerId: string;
  };
}

const query = `
  select m.id as "modelId", m.name as "modelName", m.kind as "modelKind",
         coalesce(a.name, $4) as alias,
         jsonb_build_object('id', v.id, 'version', v.version, 'digest', v.digest) as "to",
         v.state, v.state_message as "stateMessage", (v.deleted_at is not null or m.deleted_at is not null) as deleted,
         case when f.id is null then null
              else jsonb_build_object('id', f.id, 'version', f.version, 'digest', f.digest) end as "from",
         a.use_case_id as "fromUseCaseId",
         jsonb_build_object('id', u.id, 'name', u.name, 'purpose', u.purpose, 'riskTier', u.risk_tier,
                            'ownerId', u.owner_id) as "useCase"
    from model_version v
    join registered_model m on m.id = v.model_id
    join use_case u on u.id = $3
    left join model_alias a on a.model_id = m.id and a.folded = $2
    left join model_version f on f.id = a.version_id
   where v.id = $1`;

/** The facts of a move; NOT_FOUND when the version or the use case is not in this workspace. */
export const aliasFactsOf = async (db: ReadDb, target: AliasTarget): Promise<AliasFacts> => {
  const { versionId, alias, useCaseId } = target;
  const [row] = await db.sql<AliasFacts>(query, [versionId, foldName(alias), useCaseId, alias]);
  if (!row) throw notFound('The version or the use case');
  return row;
};

/** Who owned a use case at any time since then, by its trail. */
export const ownersSince = async (db: ReadDb, useCaseId: string, since: Date): Promise<string[]> => {
  const rows = await db.sql<{ id: string }>(
    `select distinct owner.id
       from audit_event e
       cross join lateral (select convert_from(e.canonical, 'UTF8')::jsonb #> '{changes,ownerId}' as change) body
       cross join lateral (values (body.change ->> 'from'), (body.change ->> 'to')) as owner (id)
      where e.workspace_id = app_workspace() and e.subject_kind = 'useCase' and e.subject_id = $1
        and e.outcome = 'done' and e.at >= $2 and owner.id is not null`,
    [useCaseId, since],
  );
  return rows.map((row) => row.id);
};

interface EvidenceRow {
  readonly id: string;
  readonly kind: EvidenceKind;
  readonly verdict: EvidenceEntry['verdict'];
  readonly resultSha256: string;
  readonly versionDigest: string;
}

/**
 * The newest evidence of each kind, and what is required and missing. Evidence that is past its date, or about other
 * bytes than those of the version, is stale, whatever its verdict was.
 */
export const evidenceOf = async (
  db: ReadDb,
  target: AliasTarget,
  facts: { readonly digest: string | null; readonly required: readonly EvidenceKind[]; readonly now: Date },
): Promise<ReadonlyMap<EvidenceKind, EvidenceEntry>> => {
  const rows = await db.sql<EvidenceRow>(
    `select distinct on (e.kind) e.id, e.kind, ${verdictAt('$3')} as verdict, e.result_sha256 as "resultSha256",
            e.version_digest as "versionDigest"
       from evidence e where e.version_id = $1 and e.use_case_id = $2 order by e.kind, e.id desc`,
    [target.versionId, target.useCaseId, facts.now],
  );
  const missing = { id: null, verdict: 'MISSING', resultSha256: null, required: true } as const;
  const entries = new Map<EvidenceKind, EvidenceEntry>(facts.required.map((kind) => [kind, missing]));
  for (const row of rows) {
    const verdict = row.versionDigest === facts.digest ? row.verdict : 'STALE';
    const required = facts.required.includes(row.kind);
    entries.set(row.kind, { id: row.id, verdict, resultSha256: row.resultSha256, required });
  }
  return entries;
};
