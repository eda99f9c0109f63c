import { Column, Entity, PrimaryColumn } from 'typeorm';
import { z } from 'zod';
import type { PredictionsSpec } from './predictions-spec.js';

/** Where an evaluation stands. */
export const evaluationState = z
  .enum(['QUEUED', 'RUNNING', 'DONE', 'FAILED'])
  .meta({ id: 'EvaluationState' });

/** One state of the closed list. */
export type EvaluationState = z.output<typeof evaluationState>;

/** The rows that a version was measured on: an artifact of the version, or a version of a data set. */
export interface EvaluationDataset {
  readonly path: string;
  readonly sha256: string;
  readonly name: string;
}

/** A queued computation over a version and a data set; it leaves evidence. */
@Entity('evaluation')
export class Evaluation {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'workspace_id' })
  workspaceId!: string;

  @Column('uuid', { name: 'version_id' })
  versionId!: string;

  @Column('uuid', { name: 'use_case_id' })
  useCaseId!: string;

  @Column('text')
  suite!: string;

  @Column('jsonb')
  dataset!: EvaluationDataset;

  /** How a table of predictions is read; null where the version is scored here. */
  @Column('jsonb', { nullable: true })
  predictions!: PredictionsSpec | null;

  @Column('text')
  state!: EvaluationState;

  /** Why it failed, for a person. */
  @Column('text', { nullable: true })
  failure!: string | null;

  @Column('uuid', { name: 'job_id' })
  jobId!: string;

  @Column('text', { name: 'requested_by' })
  requestedBy!: string;

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'finished_at', nullable: true })
  finishedAt!: Date | null;
}
