import { Column, Entity, PrimaryColumn } from 'typeorm';
import { z } from 'zod';

/** The rules for approvals that a workspace can start with. */
export const startingPolicyName = z.enum(['default', 'enforced']).meta({ id: 'StartingPolicy' });

/** One of the closed list. */
export type StartingPolicyName = z.output<typeof startingPolicyName>;

/** The unit of isolation within an organization. */
@Entity('workspace')
export class Workspace {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'organization_id' })
  organizationId!: string;

  @Column('text')
  slug!: string;

  @Column('text')
  name!: string;

  /** The file of `policies/approvals/` whose rules rule until it sets its own. */
  @Column('text', { name: 'starting_policy' })
  startingPolicy!: StartingPolicyName;

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;
}
