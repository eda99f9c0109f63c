import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A file of a version; its content is kept under its digest. */
@Entity('artifact')
export class Artifact {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'workspace_id' })
  workspaceId!: string;

  @Column('uuid', { name: 'version_id' })
  versionId!: string;

  @Column('text')
  path!: string;

  @Column('text')
  sha256!: string;

  // The driver gives 64-bit numbers as text; sizes stay far below 2^53.
  @Column('bigint', { transformer: { from: Number, to: (value: unknown) => value } })
  bytes!: number;

  @Column('text', { name: 'media_type' })
  mediaType!: string;

  @Column('text', { name: 'created_by' })
  createdBy!: string;

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;
}
