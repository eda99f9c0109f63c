import { Column, Entity, PrimaryColumn } from 'typeorm';
import { z } from 'zod';

/** What can make evidence stale before its date. */
export const invalidationCause = z
  .enum(['DRIFT', 'DATA_VERSION', 'REVOKED_MEMBER', 'ADVISORY', 'OTHER'])
  .meta({ id: 'InvalidationCause' });

/** One cause of the closed list. */
export type InvalidationCause = z.output<typeof invalidationCause>;

/** Says that evidence no longer holds, and why; the evidence itself is never changed. */
@Entity('evidence_invalidation')
export class EvidenceInvalidation {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'workspace_id' })
  workspaceId!: string;

  @Column('uuid', { name: 'evidence_id' })
  evidenceId!: string;

  @Column('text')
  cause!: InvalidationCause;

  @Column('text')
  reason!: string;

  @Column('text', { name: 'invalidated_by' })
  invalidatedBy!: string;

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;
}
