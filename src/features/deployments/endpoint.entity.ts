import { Column, Entity, PrimaryColumn } from 'typeorm';
import { z } from 'zod';

/** Whether decisions are taken. */
export const endpointState = z.enum(['ACTIVE', 'SUSPENDED']).meta({ id: 'EndpointState' });

/** One state of the closed list. */
export type EndpointState = z.output<typeof endpointState>;

/** A door for decisions: it serves what a protected alias of a model names, in one use case. */
@Entity('endpoint')
export class Endpoint {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'workspace_id' })
  workspaceId!: string;

  @Column('text')
  slug!: string;

  @Column('text')
  name!: string;

  @Column('uuid', { name: 'use_case_id' })
  useCaseId!: string;

  @Column('uuid', { name: 'model_id' })
  modelId!: string;

  @Column('text')
  alias!: string;

  @Column('text')
  state!: EndpointState;

  @Column('text', { name: 'suspended_by', nullable: true })
  suspendedBy!: string | null;

  @Column('timestamptz', { name: 'suspended_at', nullable: true })
  suspendedAt!: Date | null;

  @Column('text', { name: 'suspension_reason', nullable: true })
  suspensionReason!: string | null;

  @Column('text', { name: 'created_by' })
  createdBy!: string;

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;
}
