import { z } from 'zod';
import type { Permission } from '../../kernel/permissions.js';
import type { ChangeKind } from './change-request.entity.js';
import type { Demands } from './demands.js';
import type { Manifest } from './manifest.js';
import type { PolicyDocument, RuleMode } from './policy-document.js';
import type { PolicyInForce } from './policy-in-force.js';

/** How a requirement stands. WAITING is for people and for time. */
export const checkState = z
  .enum(['PASS', 'FAIL', 'MISSING', 'STALE', 'WAITING'])
  .meta({ id: 'RequirementState' });

/** One requirement of a change, with what it rests on and which right moves it. */
export interface Check {
  readonly rule: string;
  readonly state: z.output<typeof checkState>;
  readonly message: string;
  readonly evidenceId: string | null;
  readonly permission: Permission | null;
  /** ENFORCE stands in the way, WARN is said, OBSERVE is noted. */
  readonly mode: RuleMode;
  /** The rules of the policy that ask for it; none where no policy can take it away. */
  readonly policyRules: readonly string[];
}

/** What is asked for, as far as it decides on a situation. */
export interface Proposed {
  readonly kind: ChangeKind;
  readonly versionId: string | null;
  readonly alias: string | null;
  readonly useCaseId: string | null;
  readonly endpointId: string | null;
  readonly proposal: object | null;
  readonly requestedBy?: string;
  /** When it was asked for; missing before that. */
  readonly createdAt?: Date;
}

/** Everything that decides on a change, as it is at this moment. */
export interface Situation {
  readonly policy: PolicyInForce;
  readonly demands: Demands;
  readonly manifest: Manifest;
  readonly digest: string;
  /** Requirements besides the approvals and the waits. */
  readonly checks: readonly Check[];
  /** Everybody who had a hand in what moves. */
  readonly lineage: ReadonlySet<string>;
  /** People who are barred beyond that, and why. */
  readonly barred: ReadonlyMap<string, string>;
  readonly fromVersionId: string | null;
  /** When it was asked for; null before that. */
  readonly requestedAt: Date | null;
  readonly now: Date;
}

/** When a situation is looked at, and since when the request is open. */
export interface Moment {
  readonly now: Date;
  readonly since: Date | undefined;
}

/** What people approve: the entries, the policy and the names of its rules that apply. */
export const manifestOf = (
  kind: ChangeKind,
  policy: PolicyInForce,
  demands: Demands,
  entries: object,
): Manifest => ({
  schema: 'countersign.change-manifest/1',
  kind,
  entries: {
    ...entries,
    policy: { revision: policy.revision, sha256: policy.sha256 },
    rules: demands.rules.map((one) => one.name),
  },
});

/** A requirement that no policy can take away. */
export const check = (
  rule: string,
  state: Check['state'],
  message: string,
  permission: Permission | null = null,
): Check => ({ rule, state, message, permission, evidenceId: null, mode: 'ENFORCE', policyRules: [] });

/** A proposed policy, as stored with its request. */
export interface PolicyProposal {
  readonly document: PolicyDocument;
  readonly source: string;
}
