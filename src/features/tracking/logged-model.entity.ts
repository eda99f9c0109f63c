import { Column, Entity, PrimaryColumn } from 'typeorm';
import { z } from 'zod';

/** PENDING takes files; the other two are ends, after which no file is added or changed. */
export const loggedModelState = z.enum(['PENDING', 'READY', 'UPLOAD_FAILED']);

/** One state of a logged model. */
export type LoggedModelState = z.output<typeof loggedModelState>;

/** A model as a training script saved it; a version may be made from it. */
@Entity('logged_model')
export class LoggedModel {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'workspace_id' })
  workspaceId!: string;

  @Column('uuid', { name: 'experiment_id' })
  experimentId!: string;

  @Column('uuid', { name: 'source_run_id', nullable: true })
  sourceRunId!: string | null;

  @Column('text')
  name!: string;

  @Column('text', { name: 'model_type' })
  modelType!: string;

  @Column('text')
  state!: LoggedModelState;

  @Column('jsonb')
  params!: Readonly<Record<string, string>>;

  @Column('jsonb')
  tags!: Readonly<Record<string, string>>;

  @Column('text', { name: 'created_by' })
  createdBy!: string;

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'updated_at' })
  updatedAt!: Date;

  @Column('timestamptz', { name: 'deleted_at', nullable: true })
  deletedAt!: Date | null;
}
