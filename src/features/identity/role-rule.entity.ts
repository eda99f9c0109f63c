import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Role } from '../../kernel/actor.js';

/** Who is in this group at the identity provider has this role in the workspace. */
@Entity('role_rule')
export class RoleRule {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'workspace_id' })
  workspaceId!: string;

  @Column('text', { name: 'group_name' })
  groupName!: string;

  @Column('text')
  role!: Role;

  /** Who made it: a rule never gives its role to that person. */
  @Column('text', { name: 'created_by' })
  createdBy!: string;

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;
}
