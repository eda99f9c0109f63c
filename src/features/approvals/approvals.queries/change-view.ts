import type { ReadDb } from '../../../kernel/db.js';
import type { Condition, Verdict } from '../approval.entity.js';
import type { ChangeKind, ChangeState } from '../change-request.entity.js';
import { readManifest, type Difference } from '../manifest.js';

/** A decision as shown, void or not. */
export interface ApprovalView {
  readonly id: string;
  readonly changeRequestId: string;
  readonly verdict: Verdict;
  readonly role: string;
  readonly by: string;
  readonly byName: string | null;
  readonly reason: string;
  readonly conditions: readonly Condition[];
  readonly manifestSha256: string;
  readonly createdAt: Date;
  readonly valid: boolean;
  readonly voidedAt: Date | null;
  readonly voidReason: string | null;
  /** Who lent the role it was given under. */
  readonly delegatedBy: string | null;
}

/** A change request as shown. */
export interface ChangeView {
  readonly id: string;
  readonly number: number;
  readonly kind: ChangeKind;
  readonly title: string;
  readonly reason: string;
  readonly state: ChangeState;
  readonly modelId: string | null;
  readonly modelName: string | null;
  readonly versionId: string | null;
  readonly version: number | null;
  readonly fromVersionId: string | null;
  readonly fromVersion: number | null;
  readonly alias: string | null;
  readonly useCaseId: string | null;
  readonly useCaseName: string | null;
  readonly endpointId: string | null;
  readonly proposal: object | null;
  readonly manifestSha256: string;
  readonly manifest: readonly { readonly name: string; readonly value: unknown }[];
  readonly requestedBy: string;
  readonly requestedByName: string | null;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly closedAt: Date | null;
  readonly closedBy: string | null;
  readonly closeReason: string | null;
  readonly executedAt: Date | null;
  /** Why one person carried it out without the approvals. */
  readonly breakGlassReason: string | null;
  readonly divergedAt: Date | null;
  readonly divergence: readonly Difference[] | null;
}

type ChangeRow = Omit<ChangeView, 'manifest'> & { readonly manifest: object };

const select = `
  select c.id, c.number, c.kind, c.title, c.reason, c.state, c.model_id as "modelId", m.name as "modelName",
         c.version_id as "versionId", v.version, c.from_version_id as "fromVersionId", f.version as "fromVersion",
         c.alias, c.use_case_id as "useCaseId", u.name as "useCaseName", c.endpoint_id as "endpointId", c.proposal,
         c.manifest_sha256 as "manifestSha256", c.manifest, c.requested_by as "requestedBy",
         p.display_name as "requestedByName", c.created_at as "createdAt", c.expires_at as "expiresAt",
         c.closed_at as "closedAt", c.closed_by as "closedBy", c.close_reason as "closeReason",
         c.executed_at as "executedAt", c.break_glass_reason as "breakGlassReason", c.diverged_at as "divergedAt",
         c.divergence
    from change_request c
    left join registered_model m on m.id = c.model_id
    left join model_version v on v.id = c.version_id
    left join model_version f on f.id = c.from_version_id
    left join use_case u on u.id = c.use_case_id
    left join app_user p on p.id::text = c.requested_by`;

const viewOf = (row: ChangeRow): ChangeView => {
  const entries = Object.entries(readManifest(row.manifest).entries);
  const manifest = entries
    .map(([name, value]) => ({ name, value }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  return { ...row, manifest };
};

/** Reads change requests by a condition over `c`. */
export const readChanges = async (
  db: ReadDb,
  where: string,
  values: readonly unknown[],
): Promise<ChangeView[]> => (await db.sql<ChangeRow>(`${select} ${where}`, values)).map(viewOf);

/** The decisions on these requests, oldest first, void ones included. */
export const readApprovals = (db: ReadDb, changeRequestIds: readonly string[]): Promise<ApprovalView[]> =>
  db.sql<ApprovalView>(
    `select a.id, a.change_request_id as "changeRequestId", a.verdict, a.role, a.by, u.display_name as "byName",
            a.reason, a.conditions, a.manifest_sha256 as "manifestSha256", a.created_at as "createdAt",
            a.voided_at is null as valid, a.voided_at as "voidedAt", a.void_reason as "voidReason",
            d.from_user_id as "delegatedBy"
       from approval a left join delegation d on d.id = a.delegation_id left join app_user u on u.id = a.by
      where a.change_request_id = any($1) order by a.id`,
    [changeRequestIds],
  );
