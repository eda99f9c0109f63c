import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { PolicyDocument } from './policy-document.js';

/** The rules of a workspace, one row per revision; the newest rules. */
@Entity('approval_policy')
export class ApprovalPolicy {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'workspace_id' })
  workspaceId!: string;

  @Column('integer')
  revision!: number;

  @Column('jsonb')
  document!: PolicyDocument;

  @Column('text')
  sha256!: string;

  @Column('text')
  source!: string;

  @Column('uuid', { name: 'change_request_id' })
  changeRequestId!: string;

  @Column('text', { name: 'created_by' })
  createdBy!: string;

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;
}
