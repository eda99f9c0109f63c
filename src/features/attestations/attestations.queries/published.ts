import { z } from 'zod';
import { canonicalBytes } from '../../../kernel/audit.js';
import type { ReadDb } from '../../../kernel/db.js';
import { defineQuery } from '../../../kernel/query.js';
import type { Signer } from '../../../kernel/signer.js';
import { attestationPolicy, dayMs } from '../policy.js';
import { envelopeOf, pae, revocationsType } from '../proof/dsse.js';
import type { keysDocument } from '../proof/keys.js';
import type { RevocationList, RevocationReason } from '../proof/revocations.js';

export const publishedKeys = defineQuery({
  name: 'attestation.keys',
  describe: 'The public keys with which attestations are checked, as strangers get them.',
  permission: 'attestation:publish',
  scope: 'installation',
  input: z.object({}),
  handle: async ({ signer }): Promise<string> => {
    const document: z.output<typeof keysDocument> = {
      issuer: signer.issuer,
      keys: signer.publishedKeys.map(({ keyId, pem, signs }) => ({
        algorithm: 'ed25519',
        keyId,
        publicKey: pem,
        use: signs ? 'sign' : 'verify',
      })),
      schema: 'countersign.keys/1',
    };
    return canonicalBytes(document);
  },
});

interface Listed {
  readonly attestation: string;
  readonly reason: RevocationReason;
  readonly at: Date;
}

const numberOf = async (db: ReadDb): Promise<number> => {
  const [row] = await db.sql<{ number: number }>(
    'select (count(*) + count(lifted_at))::int as number from attestation_revocation',
  );
  return row?.number ?? 0;
};

const listOf = async (db: ReadDb, signer: Signer, number: number, now: Date): Promise<RevocationList> => {
  const { revocationListHours, listedDaysAfterEnd } = attestationPolicy();
  const coversFrom = new Date(now.getTime() - listedDaysAfterEnd * dayMs);
  const rows = await db.sql<Listed>(
    `select attestation_id as attestation, reason, revoked_at as at from attestation_revocation
      where lifted_at is null and valid_until > $1 order by revoked_at, attestation_id, reason`,
    [coversFrom],
  );
  return {
    coversFrom: coversFrom.toISOString(),
    issued: now.toISOString(),
    issuer: signer.issuer,
    nextUpdate: new Date(now.getTime() + revocationListHours * 3_600_000).toISOString(),
    number,
    revoked: rows.map(({ at, attestation, reason }) => ({ at: at.toISOString(), attestation, reason })),
    schema: 'countersign.revocations/1',
  };
};

export const revocationList = defineQuery({
  name: 'attestation.revocations',
  describe:
    'The signed list of what was taken back in this installation; it names attestations and nothing else.',
  permission: 'attestation:publish',
  scope: 'installation',
  input: z.object({}),
  handle: async ({ db, signer, now }): Promise<{ number: number; envelope: string }> => {
    const number = await numberOf(db);
    const payload = Buffer.from(canonicalBytes(await listOf(db, signer, number, now)));
    const bytes = await signer.sign(pae(revocationsType, payload));
    return { number, envelope: envelopeOf(revocationsType, payload, { keyId: signer.keyId, bytes }) };
  },
});
