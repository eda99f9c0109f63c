import { Column, Entity, PrimaryColumn } from 'typeorm';

/** Where runs of one endeavour stand together. */
@Entity('experiment')
export class Experiment {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'workspace_id' })
  workspaceId!: string;

  /** The id that clients know; 0 is the one that every workspace has. */
  @Column('integer')
  number!: number;

  @Column('text')
  name!: string;

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
