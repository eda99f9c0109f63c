import { Column, Entity, PrimaryColumn } from 'typeorm';
import { z } from 'zod';

/** What a change request can be about. */
export const changeKind = z
  .enum(['ALIAS', 'POLICY', 'ENDPOINT_RESUME', 'RISK_TIER'])
  .meta({ id: 'ChangeKind' });

/** One kind of the closed list. */
export type ChangeKind = z.output<typeof changeKind>;

/** APPROVED has its approvals and waits for the feature that carries it out; the last four are ends. */
export const changeState = z
  .enum(['OPEN', 'APPROVED', 'EXECUTED', 'REJECTED', 'WITHDRAWN', 'EXPIRED'])
  .meta({ id: 'ChangeState' });

/** One state of the closed list. */
export type ChangeState = z.output<typeof changeState>;

/** A change that waits for people: what would move, bound to its manifest. */
@Entity('change_request')
export class ChangeRequest {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'workspace_id' })
  workspaceId!: string;

  @Column('integer')
  number!: number;

  @Column('text')
  kind!: ChangeKind;

  @Column('text')
  title!: string;

  @Column('text')
  reason!: string;

  @Column('text')
  state!: ChangeState;

  @Column('text', { name: 'target_key' })
  targetKey!: string;

  @Column('uuid', { name: 'model_id', nullable: true })
  modelId!: string | null;

  @Column('uuid', { name: 'version_id', nullable: true })
  versionId!: string | null;

  @Column('uuid', { name: 'from_version_id', nullable: true })
  fromVersionId!: string | null;

  @Column('text', { nullable: true })
  alias!: string | null;

  @Column('uuid', { name: 'use_case_id', nullable: true })
  useCaseId!: string | null;

  @Column('uuid', { name: 'endpoint_id', nullable: true })
  endpointId!: string | null;

  @Column('jsonb', { nullable: true })
  proposal!: object | null;

  @Column('jsonb')
  manifest!: object;

  @Column('text', { name: 'manifest_sha256' })
  manifestSha256!: string;

  @Column('text', { name: 'requested_by' })
  requestedBy!: string;

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'expires_at' })
  expiresAt!: Date;

  @Column('timestamptz', { name: 'approved_at', nullable: true })
  approvedAt!: Date | null;

  @Column('text', { name: 'closed_by', nullable: true })
  closedBy!: string | null;

  @Column('timestamptz', { name: 'closed_at', nullable: true })
  closedAt!: Date | null;

  @Column('text', { name: 'close_reason', nullable: true })
  closeReason!: string | null;

  @Column('timestamptz', { name: 'executed_at', nullable: true })
  executedAt!: Date | null;

  /** Why one person carried it out without the approvals, in an emergency. */
  @Column('text', { name: 'break_glass_reason', nullable: true })
  breakGlassReason!: string | null;

  /** Since when something is no longer as it was when it was carried out. */
  @Column('timestamptz', { name: 'diverged_at', nullable: true })
  divergedAt!: Date | null;

  @Column('jsonb', { nullable: true })
  divergence!: object[] | null;
}
