import type { AuditEntry } from '../../kernel/audit.js';
import type { Tx } from '../../kernel/db.js';
import { newId } from '../../kernel/id.js';
import { foldName } from '../registry/index.js';
import type { RevocationReason } from './proof/revocations.js';
import { AttestationRevocation } from './revocation.entity.js';

interface Held {
  readonly id: string;
  readonly workspaceId: string;
  readonly notAfter: Date;
  readonly useCaseId: string;
  readonly foldedAlias: string;
  readonly deleted: boolean;
  readonly moved: boolean;
  /** The open revocation because of a suspended endpoint. */
  readonly holdId: string | null;
}

/** Attestations of a model that have not ended for good, beside what is true now. */
const query = `
  select a.id, a.workspace_id as "workspaceId", a.not_after as "notAfter", a.use_case_id as "useCaseId",
         a.folded_alias as "foldedAlias", v.deleted_at is not null as deleted,
         (p.version_id is distinct from a.version_id or p.use_case_id is distinct from a.use_case_id
          or p.change_request_id is distinct from a.change_request_id
          or exists (select from attestation n
                      where n.model_id = a.model_id and n.folded_alias = a.folded_alias and n.number > a.number)) as moved,
         h.id as "holdId"
    from attestation a
    join model_version v on v.id = a.version_id
    left join model_alias p on p.model_id = a.model_id and p.folded = a.folded_alias
    left join attestation_revocation h
      on h.attestation_id = a.id and h.reason = 'ENDPOINT_SUSPENDED' and h.lifted_at is null
   where a.model_id = $1
     and not exists (select from attestation_revocation r
                      where r.attestation_id = a.id and r.reason <> 'ENDPOINT_SUSPENDED' and r.lifted_at is null)
   order by a.number`;

/** What an endpoint serves, as attestations are compared with it. */
const servedKey = (useCaseId: string, foldedAlias: string): string => `${useCaseId} ${foldedAlias}`;

const suspendedOf = async (tx: Tx, modelId: string): Promise<ReadonlySet<string>> => {
  const rows = await tx.sql<{ useCaseId: string; alias: string }>(
    `select use_case_id as "useCaseId", alias from endpoint where model_id = $1 and state = 'SUSPENDED'`,
    [modelId],
  );
  return new Set(rows.map(({ useCaseId, alias }) => servedKey(useCaseId, foldName(alias))));
};

/** By whom, and when. */
export interface Doing {
  readonly actorId: string;
  readonly now: Date;
}

/** Takes an attestation back, in the caller's transaction. */
export const revoke = async (
  tx: Tx,
  attestation: { readonly id: string; readonly workspaceId: string; readonly notAfter: Date },
  reason: RevocationReason,
  { actorId, now, detail }: Doing & { readonly detail: string },
): Promise<AuditEntry> => {
  await tx.insert(AttestationRevocation, {
    id: newId(),
    workspaceId: attestation.workspaceId,
    attestationId: attestation.id,
    reason,
    detail,
    validUntil: attestation.notAfter,
    revokedBy: actorId,
    revokedAt: now,
    liftedBy: null,
    liftedAt: null,
  });
  return {
    subject: { kind: 'attestation', id: attestation.id },
    changes: { revoked: { from: null, to: reason } },
    facts: detail === '' ? {} : { reason: detail },
  };
};

const lift = async (tx: Tx, held: Held, holdId: string, { actorId, now }: Doing): Promise<AuditEntry> => {
  await tx.update(AttestationRevocation, { id: holdId }, { liftedBy: actorId, liftedAt: now });
  return {
    subject: { kind: 'attestation', id: held.id },
    changes: { revoked: { from: 'ENDPOINT_SUSPENDED', to: null } },
  };
};

const settle = async (
  tx: Tx,
  held: Held,
  suspended: ReadonlySet<string>,
  doing: Doing,
): Promise<AuditEntry | null> => {
  const told = { ...doing, detail: '' };
  if (held.deleted) return revoke(tx, held, 'VERSION_DELETED', told);
  if (held.moved) return revoke(tx, held, 'SUPERSEDED', told);
  const stopped = suspended.has(servedKey(held.useCaseId, held.foldedAlias));
  if (stopped && held.holdId === null) return revoke(tx, held, 'ENDPOINT_SUSPENDED', told);
  if (!stopped && held.holdId !== null) return lift(tx, held, held.holdId, doing);
  return null;
};

/** Until the transaction ends, nothing else is attested or taken back of the model. */
export const holdAttestationsOf = async (tx: Tx, modelId: string): Promise<void> => {
  await tx.sql(`select pg_advisory_xact_lock(hashtextextended('attestations of ' || $1, 0))`, [modelId]);
};

/**
 * Holds the attestations of a model against what is true now: takes back those whose alias moved on, whose version was
 * deleted or whose endpoint is suspended, and lifts the last when it decides again.
 */
export const holdAgainst = async (tx: Tx, modelId: string, doing: Doing): Promise<AuditEntry[]> => {
  const all = await tx.sql<Held>(query, [modelId]);
  if (all.length === 0) return [];
  const suspended = await suspendedOf(tx, modelId);
  const entries: AuditEntry[] = [];
  for (const held of all) {
    const entry = await settle(tx, held, suspended, doing);
    if (entry) entries.push(entry);
  }
  return entries;
};
