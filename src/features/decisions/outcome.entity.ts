import { Column, Entity, PrimaryColumn } from 'typeorm';

/** What turned out to be true of a decided case, later. A correction is another row; the newest counts. */
@Entity('outcome')
export class Outcome {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'workspace_id' })
  workspaceId!: string;

  @Column('uuid', { name: 'decision_id' })
  decisionId!: string;

  /** Whether the model's target was met. */
  @Column('boolean')
  positive!: boolean;

  @Column('timestamptz', { name: 'observed_at' })
  observedAt!: Date;

  @Column('text')
  source!: string;

  @Column('text', { name: 'recorded_by' })
  recordedBy!: string;

  @Column('timestamptz', { name: 'recorded_at' })
  recordedAt!: Date;
}
