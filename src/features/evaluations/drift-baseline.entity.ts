import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { DriftBaseline as Document } from '../../kernel/drift-baseline.js';

/** How the columns of a table were when an evaluation froze them; never changed. */
@Entity('drift_baseline')
export class DriftBaseline {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'workspace_id' })
  workspaceId!: string;

  @Column('uuid', { name: 'evaluation_id' })
  evaluationId!: string;

  @Column('uuid', { name: 'version_id' })
  versionId!: string;

  @Column('text', { name: 'version_digest' })
  versionDigest!: string;

  @Column('uuid', { name: 'use_case_id' })
  useCaseId!: string;

  @Column('text', { name: 'dataset_sha256' })
  datasetSha256!: string;

  // The driver gives 64-bit numbers as text; counts of rows stay far below 2^53.
  @Column('bigint', { name: 'row_count', transformer: { from: Number, to: (value: unknown) => value } })
  rowCount!: number;

  /** sha256 over the canonical JSON of the document. */
  @Column('text')
  sha256!: string;

  @Column('jsonb')
  document!: Document;

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;
}
