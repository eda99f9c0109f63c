import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Role } from '../../kernel/actor.js';

/** How a workspace uses Slack; one row, and none while nothing was set. */
@Entity('slack_setting')
export class SlackSetting {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'workspace_id' })
  workspaceId!: string;

  @Column('text', { nullable: true })
  channel!: string | null;

  @Column('integer', { name: 'remind_after_hours', nullable: true })
  remindAfterHours!: number | null;

  @Column('integer', { name: 'escalate_after_hours', nullable: true })
  escalateAfterHours!: number | null;

  @Column('text', { name: 'escalation_channel', nullable: true })
  escalationChannel!: string | null;

  @Column('text', { name: 'escalation_role', nullable: true })
  escalationRole!: Role | null;

  @Column('text', { name: 'updated_by' })
  updatedBy!: string;

  @Column('timestamptz', { name: 'updated_at' })
  updatedAt!: Date;
}
