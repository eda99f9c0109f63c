import { Column, Entity, PrimaryColumn } from 'typeorm';
import { z } from 'zod';

/** Where the content is: in the store of this installation, or elsewhere under an address. */
export const datasetSource = z.enum(['UPLOADED', 'REFERENCED']).meta({ id: 'DatasetSource' });

/** One source of the closed list. */
export type DatasetSource = z.output<typeof datasetSource>;

/** NONE has no content here to look at, QUEUED is being looked at. */
export const profileState = z.enum(['NONE', 'QUEUED', 'DONE', 'FAILED']).meta({ id: 'DatasetProfileState' });

/** One state of the closed list. */
export type ProfileState = z.output<typeof profileState>;

/** A column of the data. */
export interface DatasetColumn {
  readonly name: string;
  readonly type: string;
}

/** One numbered version of a data set: content that never changes, and what is known of it. */
@Entity('dataset_version')
export class DatasetVersion {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'workspace_id' })
  workspaceId!: string;

  @Column('uuid', { name: 'dataset_id' })
  datasetId!: string;

  @Column('integer')
  version!: number;

  @Column('text')
  source!: DatasetSource;

  /** Null until its content came. */
  @Column('text', { nullable: true })
  sha256!: string | null;

  // The driver gives 64-bit numbers as text; sizes stay far below 2^53.
  @Column('bigint', { nullable: true, transformer: { from: toNumber, to: (value: unknown) => value } })
  bytes!: number | null;

  @Column('text', { nullable: true })
  uri!: string | null;

  @Column('text')
  description!: string;

  @Column('text', { nullable: true })
  licence!: string | null;

  /** Where it comes from, and how it was gathered. */
  @Column('text', { nullable: true })
  provenance!: string | null;

  /** Columns that tell to which group a person belongs. */
  @Column('jsonb', { name: 'protected_attributes' })
  protectedAttributes!: readonly string[];

  @Column('jsonb', { nullable: true })
  columns!: readonly DatasetColumn[] | null;

  @Column('bigint', {
    name: 'row_count',
    nullable: true,
    transformer: { from: toNumber, to: (value: unknown) => value },
  })
  rowCount!: number | null;

  @Column('jsonb', { nullable: true })
  profile!: object | null;

  @Column('text', { name: 'profile_state' })
  profileState!: ProfileState;

  @Column('text', { name: 'profile_message' })
  profileMessage!: string;

  @Column('uuid', { name: 'profile_job_id', nullable: true })
  profileJobId!: string | null;

  @Column('text', { name: 'created_by' })
  createdBy!: string;

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;

  /** When its content was known. */
  @Column('timestamptz', { name: 'registered_at', nullable: true })
  registeredAt!: Date | null;

  @Column('timestamptz', { name: 'deleted_at', nullable: true })
  deletedAt!: Date | null;
}

function toNumber(value: unknown): number | null {
  return value === null || value === undefined ? null : Number(value);
}
