import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { AttestedField } from './model-card.entity.js';

/** A card as it was after an edit; added with every edit and never changed. */
@Entity('card_revision')
export class CardRevision {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'workspace_id' })
  workspaceId!: string;

  @Column('uuid', { name: 'card_id' })
  cardId!: string;

  @Column('integer')
  revision!: number;

  /** All attested fields after the edit. */
  @Column('jsonb')
  fields!: Readonly<Record<string, AttestedField>>;

  /** The names of those that the edit changed. */
  @Column('jsonb')
  changed!: readonly string[];

  @Column('text', { name: 'made_by' })
  madeBy!: string;

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;
}
