import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Role } from '../../kernel/actor.js';

/** A person in a workspace, with roles. */
@Entity('member')
export class Member {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'workspace_id' })
  workspaceId!: string;

  @Column('uuid', { name: 'user_id' })
  userId!: string;

  /** The name under which they are mentioned; the database gives it once. */
  @Column({ type: 'text', insert: false, update: false })
  handle!: string;

  /** Given by a person. */
  @Column('text', { array: true })
  roles!: Role[];

  /** Given by a rule at sign-in. */
  @Column('text', { name: 'roles_by_rule', array: true })
  rolesByRule!: Role[];

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;
}
