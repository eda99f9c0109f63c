import { z } from 'zod';
import type { ReadDb } from '../../kernel/db.js';
import { invalidInput, notFound } from '../../kernel/errors.js';
import { pageInput, pageOf, readCursor, type Page } from '../../kernel/page.js';
import { defineQuery } from '../../kernel/query.js';
import type { RiskTier } from '../usecases/index.js';
import type { Answered, Mitigated, Reason } from './judge-risk.js';
import { questionnaire, type KnownQuestionnaire } from './questionnaire.js';
import type { RiskEffect } from './risk-assessment.entity.js';

/** One thing in which an assessment differs from the one before. */
export interface RiskDifference {
  /** `answers.<question>`, `mitigations.<id>`, `tier`, `inherentScore`, `residualScore`, `questionnaire`. */
  readonly entry: string;
  readonly from: unknown;
  readonly to: unknown;
}

interface AssessmentRow {
  readonly id: string;
  readonly useCaseId: string;
  readonly number: number;
  readonly questionnaireVersion: number;
  readonly questionnaireSha256: string;
  readonly answers: readonly Answered[];
  readonly mitigations: readonly Mitigated[];
  readonly note: string;
  readonly inherentScore: number;
  readonly inherentTier: RiskTier;
  readonly residualScore: number;
  readonly tier: RiskTier;
  readonly tierBefore: RiskTier;
  readonly effect: RiskEffect;
  readonly reasons: readonly Reason[];
  readonly assessedBy: string;
  readonly assessedByName: string | null;
  readonly createdAt: Date;
  readonly current: boolean;
  readonly tierInForce: RiskTier;
  readonly previous: Previous | null;
}

type Previous = Pick<
  AssessmentRow,
  'answers' | 'mitigations' | 'inherentScore' | 'residualScore' | 'tier' | 'questionnaireVersion'
>;

/** An assessment as shown. */
export interface RiskAssessmentView extends Omit<AssessmentRow, 'previous'> {
  /** Whether the questionnaire of the installation is another one by now. */
  readonly outdated: boolean;
  readonly differences: readonly RiskDifference[];
}

const select = `
  select r.id, r.use_case_id as "useCaseId", r.number, r.questionnaire_version as "questionnaireVersion",
         r.questionnaire_sha256 as "questionnaireSha256", r.answers, r.mitigations, r.note,
         r.inherent_score::float8 as "inherentScore", r.inherent_tier as "inherentTier",
         r.residual_score::float8 as "residualScore", r.tier, r.tier_before as "tierBefore", r.effect, r.reasons,
         r.assessed_by as "assessedBy", u.display_name as "assessedByName", r.created_at as "createdAt",
         not exists (select from risk_assessment n where n.use_case_id = r.use_case_id and n.number > r.number) as current,
         c.risk_tier as "tierInForce",
         case when p.id is null then null else jsonb_build_object(
           'answers', p.answers, 'mitigations', p.mitigations, 'inherentScore', p.inherent_score,
           'residualScore', p.residual_score, 'tier', p.tier, 'questionnaireVersion', p.questionnaire_version) end as previous
    from risk_assessment r
    join use_case c on c.id = r.use_case_id
    left join risk_assessment p on p.use_case_id = r.use_case_id and p.number = r.number - 1
    left join app_user u on u.id::text = r.assessed_by`;

const entriesOf = (one: Previous): Map<string, unknown> =>
  new Map<string, unknown>([
    ['tier', one.tier],
    ['inherentScore', one.inherentScore],
    ['residualScore', one.residualScore],
    ['questionnaire', one.questionnaireVersion],
    ...one.answers.map(({ question, answers }) => [`answers.${question}`, answers] as const),
    ...one.mitigations.map(({ id, how }) => [`mitigations.${id}`, how] as const),
  ]);

const differencesOf = (before: Previous | null, after: Previous): RiskDifference[] => {
  if (before === null) return [];
  const [from, to] = [entriesOf(before), entriesOf(after)];
  return [...new Set([...from.keys(), ...to.keys()])]
    .map((entry) => ({ entry, from: from.get(entry) ?? null, to: to.get(entry) ?? null }))
    .filter((one) => JSON.stringify(one.from) !== JSON.stringify(one.to));
};

const viewOf = ({ previous, ...row }: AssessmentRow): RiskAssessmentView => ({
  ...row,
  outdated: row.questionnaireSha256 !== questionnaire().sha256,
  differences: differencesOf(previous, row),
});

/** The current assessment of a use case, or the one that was at a time; null when nobody had assessed it. */
export const currentAssessment = async (
  db: ReadDb,
  useCaseId: string,
  at: Date | null = null,
): Promise<RiskAssessmentView | null> => {
  const [row] = await db.sql<AssessmentRow>(
    `${select} where r.use_case_id = $1 and ($2::timestamptz is null or r.created_at <= $2)
      order by r.number desc limit 1`,
    [useCaseId, at],
  );
  return row ? viewOf(row) : null;
};

/** One assessment, or NOT_FOUND. */
export const assessmentOr404 = async (db: ReadDb, id: string): Promise<RiskAssessmentView> => {
  const [row] = await db.sql<AssessmentRow>(`${select} where r.id = $1`, [id]);
  if (!row) throw notFound('The risk assessment');
  return viewOf(row);
};

export const readAssessment = defineQuery({
  name: 'riskAssessment.read',
  describe:
    'One risk assessment by id, or the current one of a use case, with what changed since the one before.',
  permission: 'risk:read',
  input: z.object({ id: z.uuid().nullish(), useCaseId: z.uuid().nullish() }),
  handle: async ({ db, input }): Promise<RiskAssessmentView> => {
    if (input.id) return assessmentOr404(db, input.id);
    if (!input.useCaseId) {
      throw invalidInput('Give the id of the assessment or of the use case', [
        { path: 'id', message: 'or useCaseId is required' },
      ]);
    }
    const current = await currentAssessment(db, input.useCaseId);
    if (!current) throw notFound('A risk assessment of the use case');
    return current;
  },
});

export const listAssessments = defineQuery({
  name: 'riskAssessment.list',
  describe: 'The risk assessments of a use case, newest first.',
  permission: 'risk:read',
  input: z.object({ ...pageInput, useCaseId: z.uuid() }),
  handle: async ({ db, input }): Promise<Page<RiskAssessmentView>> => {
    const after = readCursor(input.after, 'number');
    const rows = await db.sql<AssessmentRow>(
      `${select} where r.use_case_id = $1 and ($2::int is null or r.number < $2::int) order by r.number desc limit $3`,
      [input.useCaseId, after?.[0] ?? null, input.first + 1],
    );
    return pageOf(rows, input, (row) => [row.number, row.id], viewOf);
  },
});

export const readQuestionnaireNow = defineQuery({
  name: 'riskQuestionnaire.read',
  describe: 'The questions about the risk of a use case, with their answers, scores and mitigations.',
  permission: 'risk:read',
  input: z.object({}),
  handle: (): Promise<KnownQuestionnaire> => Promise.resolve(questionnaire()),
});
