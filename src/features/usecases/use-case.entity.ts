import { Column, Entity, PrimaryColumn } from 'typeorm';
import { z } from 'zod';

/** How much harm a wrong decision can do; decides which checks and approvals are required. */
export const riskTier = z.enum(['LOW', 'MEDIUM', 'HIGH']).meta({ id: 'RiskTier' });

/** One tier of risk. */
export type RiskTier = z.output<typeof riskTier>;

/** An intended use of models, with the people it affects and the person who answers for it. */
@Entity('use_case')
export class UseCase {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'workspace_id' })
  workspaceId!: string;

  @Column('text')
  slug!: string;

  @Column('text')
  name!: string;

  @Column('text')
  purpose!: string;

  @Column('text', { name: 'people_affected' })
  peopleAffected!: string;

  @Column('uuid', { name: 'owner_id' })
  ownerId!: string;

  @Column('text', { name: 'risk_tier' })
  riskTier!: RiskTier;

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;
}
