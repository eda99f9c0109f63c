import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { DriftWindow as Counts } from '../../kernel/drift-baseline.js';

/** Rows of one period counted on a baseline: whole numbers that add up to those of any longer one. */
@Entity('drift_window')
export class DriftWindow {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'workspace_id' })
  workspaceId!: string;

  @Column('uuid', { name: 'baseline_id' })
  baselineId!: string;

  @Column('uuid', { name: 'evaluation_id' })
  evaluationId!: string;

  @Column('text', { name: 'dataset_sha256' })
  datasetSha256!: string;

  @Column('bigint', { name: 'row_count', transformer: { from: Number, to: (value: unknown) => value } })
  rowCount!: number;

  @Column('jsonb')
  counts!: Counts;

  /** The time that the rows are from. */
  @Column('timestamptz', { name: 'observed_at' })
  observedAt!: Date;

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;
}
