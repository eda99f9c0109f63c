import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { CardValue } from './card-types.js';

/** A field that a person filled. */
export interface AttestedField {
  readonly value: CardValue;
  readonly source: 'ATTESTED';
  /** The evidence that the person refers to. */
  readonly evidence: string | null;
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
  fields!: Readonly<Record<string, AttestedField>>;

  @Column('integer')
  revision!: number;

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'updated_at' })
  updatedAt!: Date;
}
