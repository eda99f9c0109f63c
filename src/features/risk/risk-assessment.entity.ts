import { Column, Entity, PrimaryColumn } from 'typeorm';
import { z } from 'zod';
import type { RiskTier } from '../usecases/index.js';
import type { Answered, Mitigated, Reason } from './judge-risk.js';

/** What an assessment did to the tier: raised it, left it, or found another one that needs an approved change. */
export const riskEffect = z.enum(['SET', 'KEPT', 'NEEDS_REQUEST']).meta({ id: 'RiskEffect' });

/** One effect of the closed list. */
export type RiskEffect = z.output<typeof riskEffect>;

const asNumber = { from: Number, to: (value: unknown) => value };

/** What was answered about a use case, and what follows; never changed. The one with the highest number is current. */
@Entity('risk_assessment')
export class RiskAssessment {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'workspace_id' })
  workspaceId!: string;

  @Column('uuid', { name: 'use_case_id' })
  useCaseId!: string;

  @Column('integer')
  number!: number;

  @Column('integer', { name: 'questionnaire_version' })
  questionnaireVersion!: number;

  @Column('text', { name: 'questionnaire_sha256' })
  questionnaireSha256!: string;

  @Column('jsonb')
  answers!: readonly Answered[];

  @Column('jsonb')
  mitigations!: readonly Mitigated[];

  @Column('text')
  note!: string;

  // The driver gives exact numbers as text.
  @Column('numeric', { name: 'inherent_score', transformer: asNumber })
  inherentScore!: number;

  @Column('text', { name: 'inherent_tier' })
  inherentTier!: RiskTier;

  @Column('numeric', { name: 'residual_score', transformer: asNumber })
  residualScore!: number;

  @Column('text')
  tier!: RiskTier;

  /** The tier of the use case when it was assessed. */
  @Column('text', { name: 'tier_before' })
  tierBefore!: RiskTier;

  @Column('text')
  effect!: RiskEffect;

  @Column('jsonb')
  reasons!: readonly Reason[];

  @Column('text', { name: 'assessed_by' })
  assessedBy!: string;

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;
}
