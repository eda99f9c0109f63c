import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A governed row without a feature around it. */
@Entity('thing')
export class Thing {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'workspace_id' })
  workspaceId!: string;

  @Column('integer')
  size!: number;
}
