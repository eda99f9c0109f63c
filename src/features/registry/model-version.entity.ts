import { Column, Entity, PrimaryColumn } from 'typeorm';
import { z } from 'zod';

/** Where a version stands: its artifacts may still come or be checked; it may be used; it was refused. */
export const versionState = z.enum(['PENDING_INTAKE', 'READY', 'REJECTED']).meta({ id: 'ModelVersionState' });

/** One state of a version. */
export type VersionState = z.output<typeof versionState>;

/** How clients of MLflow call where a version stands in its life. */
export const stages = ['None', 'Staging', 'Production', 'Archived'] as const;

/** One stage of the closed list. */
export type Stage = (typeof stages)[number];

/** A data set that a version was made from. */
export interface LineageDataset {
  readonly name: string;
  readonly sha256: string;
  readonly role: string;
  /** The registered version that was named; by digest it is found also without. */
  readonly datasetVersionId?: string;
}

/** Where a version comes from. */
export interface Lineage {
  readonly run: string | null;
  readonly codeCommit: string | null;
  readonly datasets: readonly LineageDataset[];
  readonly parentVersionId: string | null;
}

/** A JSON object whose inside is not looked at here. */
export type JsonObject = object;

/** One numbered version of a model. */
@Entity('model_version')
export class ModelVersion {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'workspace_id' })
  workspaceId!: string;

  @Column('uuid', { name: 'model_id' })
  modelId!: string;

  @Column('integer')
  version!: number;

  @Column('text')
  state!: VersionState;

  /** Why it is in this state, for a person. */
  @Column('text', { name: 'state_message' })
  stateMessage!: string;

  @Column('text')
  description!: string;

  /** When the set of artifacts was closed. */
  @Column('timestamptz', { name: 'submitted_at', nullable: true })
  submittedAt!: Date | null;

  /** sha256 over the paths and digests of the artifacts; null until submitted. */
  @Column('text', { nullable: true })
  digest!: string | null;

  @Column('uuid', { name: 'intake_job_id', nullable: true })
  intakeJobId!: string | null;

  @Column('jsonb', { nullable: true })
  signature!: JsonObject | null;

  @Column('jsonb', { nullable: true })
  intake!: JsonObject | null;

  @Column('jsonb')
  metrics!: Readonly<Record<string, number>>;

  @Column('jsonb')
  params!: Readonly<Record<string, string>>;

  @Column('jsonb')
  lineage!: Lineage;

  @Column('text')
  stage!: Stage;

  /** Where its files came from, in the words of whoever registered it. */
  @Column('text')
  source!: string;

  @Column('uuid', { name: 'run_id', nullable: true })
  runId!: string | null;

  @Column('text', { name: 'run_link' })
  runLink!: string;

  @Column('uuid', { name: 'logged_model_id', nullable: true })
  loggedModelId!: string | null;

  @Column('text', { name: 'created_by' })
  createdBy!: string;

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;

  /** Null: as it was created. */
  @Column('timestamptz', { name: 'updated_at', nullable: true })
  updatedAt!: Date | null;

  @Column('timestamptz', { name: 'deleted_at', nullable: true })
  deletedAt!: Date | null;
}
