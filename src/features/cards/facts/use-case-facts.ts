import type { ReadDb } from '../../../kernel/db.js';
import { currentAssessment, type RiskAssessmentView } from '../../risk/index.js';
import { factOf, filled, type Facts, type Place } from './fact.js';

interface UseCaseRow {
  readonly name: string;
  readonly purpose: string;
  readonly peopleAffected: string;
  readonly riskTier: string;
  readonly ownerId: string;
  readonly owner: string | null;
  readonly createdAt: Date;
  readonly endpoints: readonly object[] | null;
}

const query = `
  select u.name, u.purpose, u.people_affected as "peopleAffected", u.risk_tier as "riskTier", u.owner_id as "ownerId",
         p.display_name as owner, u.created_at as "createdAt",
         (select jsonb_agg(jsonb_build_object('slug', e.slug, 'name', e.name, 'alias', e.alias, 'state', e.state) order by e.slug)
            from endpoint e where e.use_case_id = u.id and e.created_at <= $2
             and e.model_id = (select model_id from model_version where id = $3)) as endpoints
    from use_case u left join app_user p on p.id = u.owner_id
   where u.id = $1`;

const riskOf = (one: RiskAssessmentView): object => ({
  number: one.number,
  tier: one.tier,
  tierInForce: one.tierInForce,
  inherentScore: one.inherentScore,
  residualScore: one.residualScore,
  questionnaire: {
    version: one.questionnaireVersion,
    sha256: one.questionnaireSha256,
    outdated: one.outdated,
  },
  mitigations: one.mitigations,
  reasons: one.reasons.map(({ text }) => text),
});

/** What is known about the use: who answers for it, how risky it is, where the model decides in it. */
export const useCaseFacts = async (db: ReadDb, { versionId, useCaseId, at }: Place): Promise<Facts> => {
  const [row] = await db.sql<UseCaseRow>(query, [useCaseId, at, versionId]);
  if (!row) return {};
  const { name, purpose, peopleAffected, riskTier, owner, ownerId, createdAt } = row;
  const risk = await currentAssessment(db, useCaseId, at);
  const source = { by: ownerId, at: createdAt };
  return {
    'useCase.described': factOf({ name, purpose, peopleAffected, riskTier }, source),
    'useCase.owners': factOf(filled(owner === null ? null : [{ name: owner }]), source),
    'useCase.endpoints': factOf(row.endpoints ?? []),
    'useCase.risk': risk ? factOf(riskOf(risk), { by: risk.assessedBy, at: risk.createdAt }) : undefined,
  };
};
