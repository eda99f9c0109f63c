import { Column, Entity, PrimaryColumn } from 'typeorm';
import { z } from 'zod';
import type { DataExpectation, QualityReport } from '../../kernel/data-expectations.js';

/** Where a check of data stands. */
export const qualityState = z.enum(['QUEUED', 'DONE', 'FAILED']).meta({ id: 'DataQualityState' });

/** One state of the closed list. */
export type QualityState = z.output<typeof qualityState>;

/** What the data must keep to, all in all. UNKNOWN: nothing fails, and something cannot be judged. */
export const qualityVerdict = z.enum(['PASS', 'FAIL', 'UNKNOWN']).meta({ id: 'DataQualityVerdict' });

/** One verdict of the closed list. */
export type QualityVerdict = z.output<typeof qualityVerdict>;

/** Expectations that were held against a version of a data set, and what came of it. */
@Entity('data_quality_check')
export class DataQualityCheck {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'workspace_id' })
  workspaceId!: string;

  @Column('uuid', { name: 'dataset_version_id' })
  datasetVersionId!: string;

  /** Of the content that is checked. */
  @Column('text')
  sha256!: string;

  @Column('jsonb')
  expectations!: readonly DataExpectation[];

  @Column('text', { name: 'expectations_sha256' })
  expectationsSha256!: string;

  @Column('text')
  state!: QualityState;

  @Column('text')
  message!: string;

  @Column('text', { nullable: true })
  verdict!: QualityVerdict | null;

  @Column('jsonb', { nullable: true })
  report!: QualityReport | null;

  @Column('uuid', { name: 'job_id' })
  jobId!: string;

  @Column('text', { name: 'requested_by' })
  requestedBy!: string;

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'finished_at', nullable: true })
  finishedAt!: Date | null;
}
