import type { ReadDb } from '../../kernel/db.js';
import { attestationPolicy } from './policy.js';
import type { RuntimeState } from './runtime.entity.js';

/** What a runtime said last, and how it was judged before. */
export interface RuntimeStanding {
  readonly id: string;
  readonly workspaceId: string;
  readonly environment: string;
  readonly modelId: string;
  readonly alias: string;
  readonly foldedAlias: string;
  readonly useCaseId: string | null;
  readonly endpointId: string | null;
  readonly instance: string;
  readonly digests: readonly string[];
  readonly stopped: boolean;
  readonly receivedAt: Date;
  /** As it was judged last; null when never. */
  readonly known: RuntimeState | null;
  readonly knownSince: Date | null;
  readonly findingId: string | null;
  readonly findingResolvedAt: Date | null;
  readonly attestations: readonly Attested[];
}

interface Attested {
  readonly tree: string;
  readonly notAfter: string;
  readonly revoked: boolean;
}

/** The newest report of each runtime, beside the attestations of what it says that it runs. */
const query = `
  select l.runtime_id as id, l.workspace_id as "workspaceId", l.environment, l.model_id as "modelId", l.alias,
         l.folded_alias as "foldedAlias", l.use_case_id as "useCaseId", l.endpoint_id as "endpointId", l.instance,
         l.digests, l.stopped, l.received_at as "receivedAt", r.state as known, r.since as "knownSince",
         r.finding_id as "findingId", f.resolved_at as "findingResolvedAt",
         coalesce((select jsonb_agg(jsonb_build_object('tree', a.tree_sha256, 'notAfter', a.not_after, 'revoked',
                     exists (select from attestation_revocation v where v.attestation_id = a.id and v.lifted_at is null)))
                     from attestation a
                    where a.model_id = l.model_id and a.folded_alias = l.folded_alias and a.environment = l.environment
                      and (l.use_case_id is null or a.use_case_id = l.use_case_id)
                      and a.tree_sha256 = any(l.digests)), '[]') as attestations
    from (select distinct on (runtime_id) * from deployment_report where runtime_id = any($1)
           order by runtime_id, reported_at desc, id desc) l
    left join runtime r on r.id = l.runtime_id
    left join finding f on f.id = r.finding_id
   order by l.runtime_id`;

/** Where these runtimes stand by what they said last. */
export const standingsOf = (db: ReadDb, runtimeIds: readonly string[]): Promise<RuntimeStanding[]> =>
  db.sql<RuntimeStanding>(query, [runtimeIds]);

/** How one digest compares with what was approved for this place. */
export const digestState = (
  attestations: readonly Attested[],
  digest: string,
  now: Date,
): 'IN_SYNC' | 'UNKNOWN_DIGEST' | 'REVOKED' | 'EXPIRED' => {
  const own = attestations.filter(({ tree }) => tree === digest);
  if (own.length === 0) return 'UNKNOWN_DIGEST';
  const held = own.filter(({ revoked }) => !revoked);
  if (held.length === 0) return 'REVOKED';
  return held.some(({ notAfter }) => new Date(notAfter) > now) ? 'IN_SYNC' : 'EXPIRED';
};

const worstFirst = ['UNKNOWN_DIGEST', 'REVOKED', 'EXPIRED'] as const;

/** The state of a runtime: of several digests the worst counts. */
export const stateOf = (standing: RuntimeStanding, now: Date): RuntimeState => {
  const { known, knownSince, receivedAt } = standing;
  // Whoever was declared gone comes back only by a new report.
  if (known === 'STOPPED' && knownSince && receivedAt <= knownSince) return 'STOPPED';
  if (standing.stopped) return 'STOPPED';
  const silentMs = attestationPolicy().runtimes.silentAfterMinutes * 60_000;
  if (now.getTime() - receivedAt.getTime() > silentMs) return 'SILENT';
  const states = new Set(standing.digests.map((digest) => digestState(standing.attestations, digest, now)));
  return worstFirst.find((state) => states.has(state)) ?? 'IN_SYNC';
};

/** What a person must look at. */
export type Mismatch = Exclude<RuntimeState, 'IN_SYNC' | 'STOPPED'>;

/** Whether a person must look at it. */
export const isMismatch = (state: RuntimeState): state is Mismatch =>
  state !== 'IN_SYNC' && state !== 'STOPPED';

/**
 * Whether a finding is due: there is none that is open, and either the state is new or the runtime said so again
 * after a person had resolved the last one.
 */
export const needsFinding = (standing: RuntimeStanding, state: RuntimeState): boolean => {
  if (!isMismatch(state)) return false;
  const { findingId, findingResolvedAt, known, receivedAt } = standing;
  if (findingId !== null && findingResolvedAt === null) return false;
  if (known !== state) return true;
  return findingResolvedAt === null || receivedAt > findingResolvedAt;
};

/** Whether what is written of a runtime is not what is true now. */
export const needsReconciling = (standing: RuntimeStanding, now: Date): boolean => {
  const state = stateOf(standing, now);
  return standing.known !== state || needsFinding(standing, state);
};
