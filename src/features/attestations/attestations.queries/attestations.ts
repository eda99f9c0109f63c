import { z } from 'zod';
import type { ReadDb } from '../../../kernel/db.js';
import { invalidInput, notFound } from '../../../kernel/errors.js';
import { pageInput, pageOf, readCursor, type Page } from '../../../kernel/page.js';
import { defineQuery } from '../../../kernel/query.js';
import { foldName } from '../../registry/index.js';
import type { RevocationReason } from '../proof/revocations.js';

/** How an attestation stands at a moment. */
export const attestationState = z.enum(['VALID', 'EXPIRED', 'REVOKED']).meta({ id: 'AttestationState' });

/** A reason for which it does not hold, or did not for a while. */
export interface RevocationView {
  readonly reason: RevocationReason;
  readonly detail: string;
  readonly revokedBy: string;
  readonly revokedAt: string;
  readonly liftedAt: string | null;
}

/** An attestation as shown. */
export interface AttestationView {
  readonly id: string;
  readonly number: number;
  readonly changeRequestId: string;
  readonly changeRequestNumber: number;
  readonly modelId: string;
  readonly modelName: string;
  readonly versionId: string;
  readonly version: number;
  readonly useCaseId: string;
  readonly useCase: string;
  readonly alias: string;
  readonly environment: string;
  readonly state: z.output<typeof attestationState>;
  readonly treeSha256: string;
  readonly manifestSha256: string;
  readonly keyId: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly createdAt: Date;
  readonly revocations: readonly RevocationView[];
  readonly envelope: string;
}

const select = `
  select a.id, a.number, a.change_request_id as "changeRequestId", c.number as "changeRequestNumber",
         a.model_id as "modelId", m.name as "modelName", a.version_id as "versionId", v.version,
         a.use_case_id as "useCaseId", u.slug as "useCase", a.alias, a.environment,
         case when exists (select from attestation_revocation r where r.attestation_id = a.id and r.lifted_at is null)
              then 'REVOKED' when a.not_after <= $1::timestamptz then 'EXPIRED' else 'VALID' end as state,
         a.tree_sha256 as "treeSha256", a.manifest_sha256 as "manifestSha256", a.key_id as "keyId",
         a.not_before as "notBefore", a.not_after as "notAfter", a.created_at as "createdAt", a.envelope,
         coalesce((select jsonb_agg(jsonb_build_object('reason', r.reason, 'detail', r.detail, 'revokedBy', r.revoked_by,
                     'revokedAt', r.revoked_at, 'liftedAt', r.lifted_at) order by r.id)
                     from attestation_revocation r where r.attestation_id = a.id), '[]') as revocations
    from attestation a
    join change_request c on c.id = a.change_request_id
    join registered_model m on m.id = a.model_id
    join model_version v on v.id = a.version_id
    join use_case u on u.id = a.use_case_id`;

const filters = {
  modelId: z.uuid().nullish(),
  model: z.string().max(1000).nullish().describe('The name of the model.'),
  versionId: z.uuid().nullish(),
  version: z.int().min(1).max(2_147_483_647).nullish().describe('The number of the version.'),
  alias: z.string().max(1000).nullish(),
  useCase: z.string().max(63).nullish().describe('Its short name.'),
  environment: z.string().max(100).nullish(),
  treeSha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hexadecimal digits')
    .nullish()
    .describe('The digest of a folder.'),
};

type Filter = { readonly [Name in keyof typeof filters]?: z.output<(typeof filters)[Name]> };

const where = `
   where ($2::uuid is null or a.model_id = $2) and ($3::text is null or m.folded = $3)
     and ($4::uuid is null or a.version_id = $4) and ($5::integer is null or v.version = $5)
     and ($6::text is null or a.folded_alias = $6) and ($7::text is null or u.slug = $7)
     and ($8::text is null or a.environment = $8) and ($9::text is null or a.tree_sha256 = $9)`;

const folded = (name: string | null | undefined): string | null =>
  name === null || name === undefined ? null : foldName(name);

const valuesOf = (filter: Filter, now: Date): unknown[] => [
  now,
  filter.modelId ?? null,
  folded(filter.model),
  filter.versionId ?? null,
  filter.version ?? null,
  folded(filter.alias),
  filter.useCase ?? null,
  filter.environment ?? null,
  filter.treeSha256 ?? null,
];

const readOne = async (
  db: ReadDb,
  now: Date,
  {
    id,
    number,
    versionId,
    alias,
  }: { id?: unknown; number?: unknown; versionId?: unknown; alias?: string | null | undefined },
): Promise<AttestationView | undefined> => {
  const [row] = await db.sql<AttestationView>(
    `${select} where ($2::uuid is null or a.id = $2) and ($3::integer is null or a.number = $3)
        and ($4::uuid is null or a.version_id = $4) and ($5::text is null or a.folded_alias = $5)
      order by a.number desc limit 1`,
    [now, id ?? null, number ?? null, versionId ?? null, folded(alias)],
  );
  return row;
};

export const attestationBy = defineQuery({
  name: 'attestation.by',
  describe: 'One attestation: by its id, its number, or the newest of a version (under an alias).',
  permission: 'attestation:read',
  input: z.object({
    id: z.uuid().nullish(),
    number: z.int().min(1).max(2_147_483_647).nullish(),
    versionId: z.uuid().nullish(),
    alias: z.string().max(1000).nullish(),
  }),
  handle: async ({ db, input, now }): Promise<AttestationView> => {
    if ([input.id, input.number, input.versionId].every((given) => (given ?? null) === null)) {
      throw invalidInput('Give the id, the number or the version of the attestation', [
        { path: 'id', message: 'or number or versionId is required' },
      ]);
    }
    const found = await readOne(db, now, input);
    if (!found) throw notFound('The attestation');
    return found;
  },
});

export const listAttestations = defineQuery({
  name: 'attestation.list',
  describe: 'The attestations of the workspace, newest first.',
  permission: 'attestation:read',
  input: z.object({ ...pageInput, ...filters }),
  handle: async ({ db, input, now }): Promise<Page<AttestationView>> => {
    const after = readCursor(input.after);
    const rows = await db.sql<AttestationView>(
      `${select} ${where} and ($10::uuid is null or a.id < $10::uuid) order by a.id desc limit $11`,
      [...valuesOf(input, now), after?.[0] ?? null, input.first + 1],
    );
    return pageOf(
      rows,
      input,
      (row) => [row.id],
      (row) => row,
    );
  },
});
