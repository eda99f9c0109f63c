import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A file of a run or of a logged model; its content is kept under its digest. */
@Entity('tracked_file')
export class TrackedFile {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'workspace_id' })
  workspaceId!: string;

  @Column('uuid', { name: 'run_id', nullable: true })
  runId!: string | null;

  @Column('uuid', { name: 'model_id', nullable: true })
  modelId!: string | null;

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
