import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { NewsEvent } from './events.js';

/** Something that people, or other systems, are told of. */
@Entity('news')
export class News {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'workspace_id' })
  workspaceId!: string;

  @Column('text')
  event!: NewsEvent;

  @Column('text', { name: 'subject_kind' })
  subjectKind!: string;

  @Column('uuid', { name: 'subject_id' })
  subjectId!: string;

  @Column('text')
  title!: string;

  @Column('text', { array: true })
  lines!: string[];

  /** Begins with `/`. */
  @Column('text')
  link!: string;

  /** Who caused it; null when it was time, or the product itself. */
  @Column('text', { name: 'actor_id', nullable: true })
  actorId!: string | null;

  /** The same thing is told once. */
  @Column('text', { name: 'dedupe_key' })
  dedupeKey!: string;

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;
}
