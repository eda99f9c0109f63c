import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A key with a value, of a model or of one of its versions. */
@Entity('model_tag')
export class ModelTag {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'workspace_id' })
  workspaceId!: string;

  @Column('uuid', { name: 'model_id' })
  modelId!: string;

  /** Null: the tag is of the model itself. */
  @Column('uuid', { name: 'version_id', nullable: true })
  versionId!: string | null;

  @Column('text')
  key!: string;

  @Column('text')
  value!: string;

  @Column('text', { name: 'set_by' })
  setBy!: string;

  @Column('timestamptz', { name: 'set_at' })
  setAt!: Date;
}
