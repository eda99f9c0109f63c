import { z } from 'zod';
import type { ReadDb } from '../../kernel/db.js';
import { notFound } from '../../kernel/errors.js';
import type { Permission } from '../../kernel/permissions.js';
import { governedFields, type GovernedField } from '../cards/index.js';
import { lineageActors } from '../registry/index.js';
import { aliasFactsOf, evidenceOf, ownersSince, type AliasFacts, type AliasTarget } from './alias-facts.js';
import type { ChangeKind } from './change-request.entity.js';
import { digestOf, type EvidenceEntry, type Manifest } from './manifest.js';
import {
  demandsOfAlias,
  demandsOfPolicyChange,
  demandsOfResume,
  sha256Of,
  type Demands,
  type PolicyDocument,
} from './policy-document.js';
import { policyInForce, type PolicyInForce } from './policy-in-force.js';
import { situationOfTier } from './risk-tier.js';

/** How a requirement stands. WAITING is for people. */
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
}

/** What is asked for, as far as it decides on a situation. */
export interface Proposed {
  readonly kind: ChangeKind;
  readonly versionId: string | null;
  readonly alias: string | null;
  readonly useCaseId: string | null;
  readonly endpointId: string | null;
  readonly proposal: object | null;
  /** When it was asked for; missing before that. */
  readonly createdAt?: Date;
}

/** Everything that decides on a change, as it is at this moment. */
export interface Situation {
  readonly policy: PolicyInForce;
  readonly demands: Demands;
  readonly manifest: Manifest;
  readonly digest: string;
  /** Requirements besides the approvals. */
  readonly checks: readonly Check[];
  /** Everybody who had a hand in what moves. */
  readonly lineage: ReadonlySet<string>;
  /** People whom the policy bars beyond that, and why. */
  readonly barred: ReadonlyMap<string, string>;
  readonly fromVersionId: string | null;
}

const none = new Set<string>();

const manifestOf = (
  kind: ChangeKind,
  policy: PolicyInForce,
  demands: Demands,
  entries: object,
): Manifest => ({
  schema: 'countersign.change-manifest/1',
  kind,
  entries: { ...entries, policy: { revision: policy.revision, sha256: policy.sha256 }, rules: demands.rules },
});

const check = (
  rule: string,
  state: Check['state'],
  message: string,
  permission: Permission | null = null,
): Check => ({
  rule,
  state,
  message,
  permission,
  evidenceId: null,
});

const versionCheck = (facts: AliasFacts): Check => {
  if (facts.deleted) return check('version-ready', 'FAIL', 'The version or its model was deleted');
  if (facts.state === 'READY') return check('version-ready', 'PASS', 'The version passed intake');
  const state = facts.state === 'REJECTED' ? 'FAIL' : 'WAITING';
  return check('version-ready', state, `The version is ${facts.state}. ${facts.stateMessage}`.trim());
};

const evidenceSentence: Readonly<Record<EvidenceEntry['verdict'], string>> = {
  PASS: 'passed',
  FAIL: 'failed; a better version or another threshold of evaluation is needed',
  MISSING: 'is missing; start an evaluation',
  STALE: 'is out of date; start an evaluation',
};

const evidenceCheck = (kind: string, entry: EvidenceEntry): Check => ({
  rule: `evidence.${kind}`,
  state: entry.verdict,
  message: `Evidence of ${kind.toLowerCase()} ${evidenceSentence[entry.verdict]}`,
  evidenceId: entry.id,
  permission: 'evaluation:start',
});

const cardCheck = (name: string, field: GovernedField | undefined): Check => {
  const known = field !== undefined && field.source !== 'UNKNOWN';
  const message = known ? `The card says ${name}` : `The card does not say ${name} yet`;
  return check(`card.${name}`, known ? 'PASS' : 'MISSING', message, 'card:update');
};

const noDemands: Demands = { rules: [], evidence: [], cardFields: [], excluded: [], slots: [] };

const coveredCheck = (demands: Demands | null): Check[] =>
  demands === null
    ? [check('rule', 'FAIL', 'No rule of the policy says what this move needs', 'policy:propose')]
    : [];

const prefixed = (prefix: string, entries: Iterable<readonly [string, unknown]>): Record<string, unknown> =>
  Object.fromEntries([...entries].map(([name, value]) => [`${prefix}.${name}`, value]));

/** Whom the policy bars: whoever owns the use case, or owned it while the request was open. */
const barredBy = async (
  db: ReadDb,
  demands: Demands,
  useCase: AliasFacts['useCase'],
  since: Date | undefined,
): Promise<ReadonlyMap<string, string>> => {
  if (!demands.excluded.includes('use-case-owner')) return new Map();
  const former = since === undefined ? [] : await ownersSince(db, useCase.id, since);
  const why = 'owned the use case while the request was open';
  return new Map([...former.map((id) => [id, why] as const), [useCase.ownerId, 'owns the use case']]);
};

const ofAlias = async (
  db: ReadDb,
  target: AliasTarget,
  policy: PolicyInForce,
  { now, since }: { readonly now: Date; readonly since: Date | undefined },
): Promise<Situation> => {
  const facts = await aliasFactsOf(db, target);
  const { useCase } = facts;
  const matching = demandsOfAlias(policy.document, facts.alias, useCase.riskTier);
  const demands = matching ?? noDemands;
  const evidence = await evidenceOf(db, target, { digest: facts.to.digest, required: demands.evidence, now });
  const card = await governedFields(db, target.versionId, target.useCaseId);
  const manifest = manifestOf('ALIAS', policy, demands, {
    model: facts.modelId,
    alias: facts.alias,
    useCase: useCase.id,
    'useCase.purpose': useCase.purpose,
    'useCase.riskTier': useCase.riskTier,
    'useCase.owner': useCase.ownerId,
    'version.from': facts.from,
    'version.to': facts.to,
    ...prefixed('card', Object.entries(card)),
    ...prefixed('evidence', evidence),
  });
  return {
    policy,
    demands,
    manifest,
    digest: digestOf(manifest),
    checks: [
      ...coveredCheck(matching),
      versionCheck(facts),
      ...[...evidence]
        .filter(([, entry]) => entry.required)
        .map(([kind, entry]) => evidenceCheck(kind, entry)),
      ...demands.cardFields.map((name) => cardCheck(name, card[name])),
    ],
    lineage: new Set(await lineageActors(db, target.versionId)),
    barred: await barredBy(db, demands, useCase, since),
    fromVersionId: facts.from?.id ?? null,
  };
};

/** A proposed policy, as stored with its request. */
export interface PolicyProposal {
  readonly document: PolicyDocument;
  readonly source: string;
}

const ofPolicy = (policy: PolicyInForce, proposal: object | null): Situation => {
  const demands = demandsOfPolicyChange(policy.document);
  const manifest = manifestOf('POLICY', policy, demands, {
    'policy.proposed': { sha256: sha256Of(proposal) },
  });
  const rest = { checks: [], lineage: none, barred: new Map<string, string>(), fromVersionId: null };
  return { policy, demands, manifest, digest: digestOf(manifest), ...rest };
};

interface EndpointRow {
  readonly id: string;
  readonly slug: string;
  readonly state: string;
  readonly by: string | null;
  readonly at: Date | null;
  readonly reason: string | null;
}

const ofEndpoint = async (db: ReadDb, id: string, policy: PolicyInForce): Promise<Situation> => {
  const [row] = await db.sql<EndpointRow>(
    `select id, slug, state, suspended_by as by, suspended_at as at, suspension_reason as reason
       from endpoint where id = $1`,
    [id],
  );
  if (!row) throw notFound('The endpoint');
  const demands = demandsOfResume(policy.document);
  const manifest = manifestOf('ENDPOINT_RESUME', policy, demands, {
    endpoint: { id: row.id, slug: row.slug },
    'endpoint.suspension': { by: row.by, at: row.at?.toISOString() ?? null, reason: row.reason },
  });
  const suspended = row.state === 'SUSPENDED';
  const message = suspended
    ? 'The endpoint is suspended'
    : 'The endpoint is not suspended; there is nothing to resume';
  const rest = { lineage: none, barred: new Map<string, string>(), fromVersionId: null };
  const checks = [check('endpoint-suspended', suspended ? 'PASS' : 'FAIL', message)];
  return { policy, demands, manifest, digest: digestOf(manifest), checks, ...rest };
};

const required = (value: string | null, name: string): string => {
  if (value === null) throw new Error(`A change request without ${name}`);
  return value;
};

/** Reads everything that decides on a change. Within a transaction of `lockChange` it stays true until the end. */
export const situationOf = async (db: ReadDb, change: Proposed, now: Date): Promise<Situation> => {
  const policy = await policyInForce(db);
  if (change.kind === 'POLICY') return ofPolicy(policy, change.proposal);
  if (change.kind === 'RISK_TIER') return situationOfTier(db, policy, change);
  if (change.kind === 'ENDPOINT_RESUME')
    return ofEndpoint(db, required(change.endpointId, 'endpoint'), policy);
  const target = {
    versionId: required(change.versionId, 'version'),
    alias: required(change.alias, 'alias'),
    useCaseId: required(change.useCaseId, 'use case'),
  };
  return ofAlias(db, target, policy, { now, since: change.createdAt });
};
