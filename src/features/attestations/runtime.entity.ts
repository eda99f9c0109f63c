import { Column, Entity, PrimaryColumn } from 'typeorm';
import { z } from 'zod';

/**
 * How what runs compares with what was approved. STOPPED said so itself, or a person said that it is gone; SILENT
 * said nothing for a while.
 */
export const runtimeState = z
  .enum(['IN_SYNC', 'UNKNOWN_DIGEST', 'REVOKED', 'EXPIRED', 'SILENT', 'STOPPED'])
  .meta({ id: 'RuntimeState' });

/** One state of the closed list. */
export type RuntimeState = z.output<typeof runtimeState>;

/** A process somewhere that said what it runs, as it was last judged. */
@Entity('runtime')
export class Runtime {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'workspace_id' })
  workspaceId!: string;

  @Column('text')
  environment!: string;

  @Column('uuid', { name: 'model_id' })
  modelId!: string;

  @Column('text')
  alias!: string;

  @Column('text', { name: 'folded_alias' })
  foldedAlias!: string;

  @Column('uuid', { name: 'use_case_id', nullable: true })
  useCaseId!: string | null;

  @Column('uuid', { name: 'endpoint_id', nullable: true })
  endpointId!: string | null;

  @Column('text')
  instance!: string;

  @Column('text')
  state!: RuntimeState;

  @Column('timestamptz')
  since!: Date;

  @Column('uuid', { name: 'finding_id', nullable: true })
  findingId!: string | null;

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;
}
