import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A row of the benchmark, of a table that nobody governs; else it is the same. */
@Entity('bench_plain')
export class Plain {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'workspace_id' })
  workspaceId!: string;

  @Column('text')
  name!: string;

  @Column('integer')
  revision!: number;
}
