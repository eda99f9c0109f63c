import { Column, Entity, PrimaryColumn } from 'typeorm';
import { z } from 'zod';
import type { Role } from '../../kernel/actor.js';

/** How a person decides. */
export const verdict = z.enum(['APPROVE', 'REJECT', 'REQUEST_CHANGES']).meta({ id: 'ApprovalVerdict' });

/** One verdict of the closed list. */
export type Verdict = z.output<typeof verdict>;

/** What an approval asks for beside the change; each opened a finding. */
export interface Condition {
  readonly title: string;
  readonly findingId: string;
}

/** The decision of one person, under one role, on what they saw. */
@Entity('approval')
export class Approval {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'workspace_id' })
  workspaceId!: string;

  @Column('uuid', { name: 'change_request_id' })
  changeRequestId!: string;

  @Column('text')
  verdict!: Verdict;

  @Column('text')
  role!: Role;

  @Column('uuid')
  by!: string;

  @Column('text')
  reason!: string;

  @Column('jsonb')
  conditions!: Condition[];

  @Column('text', { name: 'manifest_sha256' })
  manifestSha256!: string;

  /** Set when the role was lent by somebody else. */
  @Column('uuid', { name: 'delegation_id', nullable: true })
  delegationId!: string | null;

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'voided_at', nullable: true })
  voidedAt!: Date | null;

  @Column('text', { name: 'void_reason', nullable: true })
  voidReason!: string | null;
}
