import { Column, Entity, PrimaryColumn } from 'typeorm';
import { z } from 'zod';
import type { DecisionAction } from './policy.js';

/** Whether a person has decided a referred case. */
export const reviewState = z.enum(['OPEN', 'DECIDED']).meta({ id: 'ReviewState' });

/** One state of a review. */
export type ReviewState = z.output<typeof reviewState>;

/** A referred decision that waits for a person. */
@Entity('human_review')
export class HumanReview {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'workspace_id' })
  workspaceId!: string;

  @Column('uuid', { name: 'decision_id' })
  decisionId!: string;

  @Column('uuid', { name: 'endpoint_id' })
  endpointId!: string;

  @Column('text')
  state!: ReviewState;

  /** Rules that stood; codes only. */
  @Column('jsonb')
  why!: readonly object[];

  @Column('timestamptz', { name: 'due_at' })
  dueAt!: Date;

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;

  @Column('text', { nullable: true })
  action!: DecisionAction | null;

  /** Sealed with the key of the person whom the decision is about. */
  @Column('text', { name: 'sealed_reason', nullable: true })
  sealedReason!: string | null;

  @Column('uuid', { name: 'decided_by', nullable: true })
  decidedBy!: string | null;

  @Column('timestamptz', { name: 'decided_at', nullable: true })
  decidedAt!: Date | null;
}
