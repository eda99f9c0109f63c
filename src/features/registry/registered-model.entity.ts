import { Column, Entity, PrimaryColumn } from 'typeorm';
import { z } from 'zod';

/** What a model is: ONNX files kept here, a model that stands elsewhere and is governed here, or folders as MLflow saves them. */
export const modelKind = z.enum(['ONNX', 'EXTERNAL', 'MLFLOW']).meta({ id: 'ModelKind' });

/** One kind of model. */
export type ModelKind = z.output<typeof modelKind>;

/** A model by name; its versions are numbered. */
@Entity('registered_model')
export class RegisteredModel {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'workspace_id' })
  workspaceId!: string;

  @Column('text')
  name!: string;

  /** The name as it is compared. */
  @Column('text')
  folded!: string;

  @Column('text')
  description!: string;

  @Column('text')
  kind!: ModelKind;

  @Column('integer', { name: 'last_version' })
  lastVersion!: number;

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
