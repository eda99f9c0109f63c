import { Column, Entity, PrimaryColumn } from 'typeorm';

/** People were warned that evidence grows old; once for each number of days ahead. */
@Entity('evidence_warning')
export class EvidenceWarning {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'workspace_id' })
  workspaceId!: string;

  @Column('uuid', { name: 'evidence_id' })
  evidenceId!: string;

  /** 0 says that its date has passed. */
  @Column('integer', { name: 'days_ahead' })
  daysAhead!: number;

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;
}
