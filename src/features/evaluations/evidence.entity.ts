import { Column, Entity, PrimaryColumn } from 'typeorm';
import { z } from 'zod';
import type { EvidenceResult } from './evidence-result.js';

/** What evidence is about. */
export const evidenceKind = z
  .enum(['PERFORMANCE', 'FAIRNESS', 'ATTRIBUTION', 'DRIFT'])
  .meta({ id: 'EvidenceKind' });

/** One kind of the closed list. */
export type EvidenceKind = z.output<typeof evidenceKind>;

/** What evidence says of its limits. MISSING: there is none, or it cannot be judged. STALE: it is too old. */
export const evidenceVerdict = z.enum(['PASS', 'FAIL', 'MISSING', 'STALE']).meta({ id: 'EvidenceVerdict' });

/** One verdict of the closed list. */
export type EvidenceVerdict = z.output<typeof evidenceVerdict>;

/** Whether it was computed here or sent from elsewhere. */
export const evidenceProvenance = z.enum(['COMPUTED', 'SUBMITTED']).meta({ id: 'EvidenceProvenance' });

/** What was measured about a version in a use case; never changed. */
@Entity('evidence')
export class Evidence {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'workspace_id' })
  workspaceId!: string;

  @Column('uuid', { name: 'evaluation_id', nullable: true })
  evaluationId!: string | null;

  @Column('uuid', { name: 'version_id' })
  versionId!: string;

  @Column('text', { name: 'version_digest' })
  versionDigest!: string;

  @Column('uuid', { name: 'use_case_id' })
  useCaseId!: string;

  @Column('text')
  kind!: EvidenceKind;

  @Column('text')
  provenance!: z.output<typeof evidenceProvenance>;

  @Column('jsonb')
  result!: EvidenceResult;

  /** As judged when it was made; STALE follows from `expiresAt`. */
  @Column('text')
  verdict!: Exclude<EvidenceVerdict, 'STALE'>;

  @Column('text', { name: 'input_sha256' })
  inputSha256!: string;

  @Column('text', { name: 'result_sha256' })
  resultSha256!: string;

  @Column('text', { name: 'engine_version' })
  engineVersion!: string;

  @Column('integer')
  seed!: number;

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'expires_at' })
  expiresAt!: Date;
}
