import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A GraphQL document that may be run by its sha256 in its workspace. Its text never changes. */
@Entity('trusted_document')
export class TrustedDocument {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'workspace_id' })
  workspaceId!: string;

  @Column('text')
  sha256!: string;

  @Column('text')
  name!: string;

  @Column('text')
  text!: string;

  @Column('text', { name: 'created_by' })
  createdBy!: string;

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;
}
