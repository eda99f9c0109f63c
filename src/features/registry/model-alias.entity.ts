import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A name that points to one version of a model. A protected one moves only through an approved change. */
@Entity('model_alias')
export class ModelAlias {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'workspace_id' })
  workspaceId!: string;

  @Column('uuid', { name: 'model_id' })
  modelId!: string;

  @Column('text')
  name!: string;

  /** The name as it is compared. */
  @Column('text')
  folded!: string;

  @Column('uuid', { name: 'version_id' })
  versionId!: string;

  @Column('uuid', { name: 'use_case_id', nullable: true })
  useCaseId!: string | null;

  @Column('timestamptz', { name: 'moved_at' })
  movedAt!: Date;

  @Column('text', { name: 'moved_by' })
  movedBy!: string;

  @Column('uuid', { name: 'change_request_id', nullable: true })
  changeRequestId!: string | null;
}
