import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A field that a person filled. */
export interface AttestedField {
  readonly value: string;
  readonly source: 'ATTESTED';
  readonly evidence: null;
  readonly by: string;
  readonly at: string;
}

/** What people attested about a version in a use case. */
@Entity('model_card')
export class ModelCard {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'workspace_id' })
  workspaceId!: string;

  @Column('uuid', { name: 'version_id' })
  versionId!: string;

  @Column('uuid', { name: 'use_case_id' })
  useCaseId!: string;

  @Column('jsonb')
  fields!: Record<string, AttestedField>;

  @Column('integer')
  revision!: number;

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'updated_at' })
  updatedAt!: Date;
}
