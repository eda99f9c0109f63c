import { Column, Entity, PrimaryColumn } from 'typeorm';

/** The signed statement that an executed approval left; never changed. */
@Entity('attestation')
export class Attestation {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'workspace_id' })
  workspaceId!: string;

  @Column('integer')
  number!: number;

  @Column('uuid', { name: 'change_request_id' })
  changeRequestId!: string;

  @Column('uuid', { name: 'model_id' })
  modelId!: string;

  @Column('uuid', { name: 'version_id' })
  versionId!: string;

  @Column('uuid', { name: 'use_case_id' })
  useCaseId!: string;

  @Column('text')
  alias!: string;

  /** As names are compared. */
  @Column('text', { name: 'folded_alias' })
  foldedAlias!: string;

  @Column('text')
  environment!: string;

  /** The digest of the folder of the version, as `sha256sum` gives it. */
  @Column('text', { name: 'tree_sha256' })
  treeSha256!: string;

  @Column('text', { name: 'manifest_sha256' })
  manifestSha256!: string;

  @Column('text', { name: 'key_id' })
  keyId!: string;

  /** The DSSE envelope, byte for byte as it is given out. */
  @Column('text')
  envelope!: string;

  @Column('timestamptz', { name: 'not_before' })
  notBefore!: Date;

  @Column('timestamptz', { name: 'not_after' })
  notAfter!: Date;

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;
}
