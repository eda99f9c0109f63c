import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { RevocationReason } from './proof/revocations.js';

/** Why an attestation does not hold, and since when; lifted when the reason is gone. */
@Entity('attestation_revocation')
export class AttestationRevocation {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'workspace_id' })
  workspaceId!: string;

  @Column('uuid', { name: 'attestation_id' })
  attestationId!: string;

  @Column('text')
  reason!: RevocationReason;

  /** In the words of who took it back; never published. */
  @Column('text')
  detail!: string;

  /** When the attestation ends by itself: some time later the list can do without it. */
  @Column('timestamptz', { name: 'valid_until' })
  validUntil!: Date;

  @Column('text', { name: 'revoked_by' })
  revokedBy!: string;

  @Column('timestamptz', { name: 'revoked_at' })
  revokedAt!: Date;

  @Column('text', { name: 'lifted_by', nullable: true })
  liftedBy!: string | null;

  @Column('timestamptz', { name: 'lifted_at', nullable: true })
  liftedAt!: Date | null;
}
