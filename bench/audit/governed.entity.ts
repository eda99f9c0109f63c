import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A row of the benchmark, of a table that is governed. */
@Entity('bench_governed')
export class Governed {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'workspace_id' })
  workspaceId!: string;

  @Column('text')
  name!: string;

  @Column('integer')
  revision!: number;
}
