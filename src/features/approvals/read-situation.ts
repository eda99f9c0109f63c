import type { ReadDb } from '../../kernel/db.js';
import { notFound } from '../../kernel/errors.js';
import { aliasSituation } from './alias-situation.js';
import { demandsOfPolicyChange, demandsOfResume } from './demands.js';
import { digestOf } from './manifest.js';
import { sha256Of } from './policy-document.js';
import { policyInForce, type PolicyInForce } from './policy-in-force.js';
import { situationOfTier } from './risk-tier.js';
import { check, manifestOf, type Moment, type Proposed, type Situation } from './situation.js';

const none = new Set<string>();

type Bare = Pick<Situation, 'demands' | 'manifest' | 'checks'>;

const situation = (policy: PolicyInForce, { now, since }: Moment, bare: Bare): Situation => ({
  ...bare,
  policy,
  digest: digestOf(bare.manifest),
  lineage: none,
  barred: new Map(),
  fromVersionId: null,
  requestedAt: since ?? null,
  now,
});

const ofPolicy = (policy: PolicyInForce, proposal: object | null, moment: Moment): Situation => {
  const demands = demandsOfPolicyChange(policy.document);
  const manifest = manifestOf('POLICY', policy, demands, {
    'policy.proposed': { sha256: sha256Of(proposal) },
  });
  return situation(policy, moment, { demands, manifest, checks: [] });
};

interface EndpointRow {
  readonly id: string;
  readonly slug: string;
  readonly state: string;
  readonly by: string | null;
  readonly at: Date | null;
  readonly reason: string | null;
}

const ofEndpoint = async (
  db: ReadDb,
  id: string,
  policy: PolicyInForce,
  moment: Moment,
): Promise<Situation> => {
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
  const checks = [check('endpoint-suspended', suspended ? 'PASS' : 'FAIL', message)];
  return situation(policy, moment, { demands, manifest, checks });
};

const required = (value: string | null, name: string): string => {
  if (value === null) throw new Error(`A change request without ${name}`);
  return value;
};

/** Reads everything that decides on a change. Within a transaction that locked what moves, it stays true until the end. */
export const situationOf = async (db: ReadDb, change: Proposed, now: Date): Promise<Situation> => {
  const policy = await policyInForce(db);
  const moment = { now, since: change.createdAt };
  if (change.kind === 'POLICY') return ofPolicy(policy, change.proposal, moment);
  if (change.kind === 'RISK_TIER') return situationOfTier(db, policy, change, moment);
  if (change.kind === 'ENDPOINT_RESUME')
    return ofEndpoint(db, required(change.endpointId, 'endpoint'), policy, moment);
  const target = {
    versionId: required(change.versionId, 'version'),
    alias: required(change.alias, 'alias'),
    useCaseId: required(change.useCaseId, 'use case'),
  };
  return aliasSituation(db, { ...target, requestedBy: change.requestedBy ?? null }, policy, moment);
};
