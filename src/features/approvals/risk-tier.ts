import { z } from 'zod';
import type { AuditEntry } from '../../kernel/audit.js';
import type { ReadDb, Tx } from '../../kernel/db.js';
import { assessmentOr404, currentAssessment, setRiskTier } from '../risk/index.js';
import { riskTier, useCaseOr404 } from '../usecases/index.js';
import { ownersSince } from './alias-facts.js';
import type { ChangeRequest } from './change-request.entity.js';
import { demandsOfTierChange, type Demands } from './demands.js';
import { digestOf } from './manifest.js';
import { sha256Of } from './policy-document.js';
import type { PolicyInForce } from './policy-in-force.js';
import { check, manifestOf, type Moment, type Proposed, type Situation } from './situation.js';

/** What a request of the kind RISK_TIER proposes, as stored with it. */
export const tierProposal = z.strictObject({ assessmentId: z.uuid(), from: riskTier, to: riskTier });

/** A proposed tier. */
export type TierProposal = z.output<typeof tierProposal>;

const barredBy = async (
  db: ReadDb,
  demands: Demands,
  useCase: { readonly id: string; readonly ownerId: string },
  since: Date | undefined,
): Promise<ReadonlyMap<string, string>> => {
  if (!demands.excluded.includes('use-case-owner')) return new Map();
  const former = since === undefined ? [] : await ownersSince(db, useCase.id, since);
  const why = 'owned the use case while the request was open';
  return new Map([...former.map((id) => [id, why] as const), [useCase.ownerId, 'owns the use case']]);
};

/** Everything that decides on giving a use case another tier, as it is at this moment. */
export const situationOfTier = async (
  db: ReadDb,
  policy: PolicyInForce,
  { proposal }: Pick<Proposed, 'proposal'>,
  { now, since }: Moment,
): Promise<Situation> => {
  const { assessmentId, from, to } = tierProposal.parse(proposal);
  const assessment = await assessmentOr404(db, assessmentId);
  const useCase = await useCaseOr404(db, assessment.useCaseId);
  const current = await currentAssessment(db, useCase.id);
  const demands = demandsOfTierChange(policy.document);
  const { answers, mitigations, inherentScore, residualScore, questionnaireSha256 } = assessment;
  const manifest = manifestOf('RISK_TIER', policy, demands, {
    useCase: useCase.id,
    'useCase.purpose': useCase.purpose,
    'useCase.peopleAffected': useCase.peopleAffected,
    'useCase.owner': useCase.ownerId,
    'riskTier.from': useCase.riskTier,
    'riskTier.to': to,
    assessment: {
      id: assessment.id,
      number: assessment.number,
      sha256: sha256Of({ answers, mitigations }),
    },
    'assessment.current': current?.id ?? null,
    'assessment.scores': { inherentScore, residualScore },
    questionnaire: questionnaireSha256,
  });
  const holds = assessment.current && useCase.riskTier === from;
  const message = holds
    ? `Assessment ${String(assessment.number)} is the current one and gives ${to}`
    : 'The use case was assessed anew or has another tier by now; withdraw this request and ask again';
  return {
    policy,
    demands,
    manifest,
    digest: digestOf(manifest),
    checks: [check('assessment-current', holds ? 'PASS' : 'FAIL', message, holds ? null : 'risk:assess')],
    // Whoever gave the answers does not approve what follows from them.
    lineage: new Set([assessment.assessedBy]),
    barred: await barredBy(db, demands, useCase, since),
    fromVersionId: null,
    requestedAt: since ?? null,
    now,
  };
};

/** Gives the use case its tier, in the transaction of the approval that completes the request. */
export const putTier = (tx: Tx, change: ChangeRequest): Promise<AuditEntry> => {
  const { assessmentId, from } = tierProposal.parse(change.proposal);
  if (change.useCaseId === null) throw new Error('A request about the tier of no use case');
  return setRiskTier(tx, { useCaseId: change.useCaseId, assessmentId, from, changeRequestId: change.id });
};
