import { Column, Entity, PrimaryColumn } from 'typeorm';

/** Data by name; its versions are numbered. */
@Entity('dataset')
export class Dataset {
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

  @Column('integer', { name: 'last_version' })
  lastVersion!: number;

  @Column('text', { name: 'created_by' })
  createdBy!: string;

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'deleted_at', nullable: true })
  deletedAt!: Date | null;
}
