import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { envelopeOf, pae, revocationsType, statementType } from '../../features/attestations/proof/dsse.js';
import type { Demands } from '../../features/attestations/proof/judge.js';
import type { RevocationList } from '../../features/attestations/proof/revocations.js';
import { statementOf, type Predicate } from '../../features/attestations/proof/statement.js';
import { treeDigestOf, type TreeFile } from '../../features/attestations/proof/tree.js';
import { canonicalBytes } from '../../kernel/audit.js';
import { newId } from '../../kernel/id.js';
import { openSigner, type Signer } from '../../kernel/signer.js';
import { decide, type Verdict } from './decide.js';
import { readFolder } from './folder.js';

/** Who signs in these tests. */
export const issuer = 'https://countersign.test';

/** The present of these tests, and other moments. */
export const now = new Date('2026-11-27T12:00:00.000Z');
export const hours = (count: number): Date => new Date(now.getTime() + count * 3_600_000);

/** A digest of nothing in particular. */
export const sha = 'a'.repeat(64);

/** The published keys of a signer. */
export const keysOf = ({ publishedKeys }: Signer, name = issuer): Buffer =>
  Buffer.from(
    canonicalBytes({
      issuer: name,
      keys: publishedKeys.map(({ keyId, pem, signs }) => ({
        algorithm: 'ed25519',
        keyId,
        publicKey: pem,
        use: signs ? 'sign' : 'verify',
      })),
      schema: 'countersign.keys/1',
    }),
  );

/** A fresh list, with another attestation on it. */
export const listOf = (change: Partial<RevocationList> = {}): RevocationList => ({
  coversFrom: hours(-9000).toISOString(),
  issued: hours(-1).toISOString(),
  issuer,
  nextUpdate: hours(23).toISOString(),
  number: 7,
  revoked: [{ at: hours(-30).toISOString(), attestation: newId(), reason: 'SUPERSEDED' }],
  schema: 'countersign.revocations/1',
  ...change,
});

/** The id of the attestation of these tests. */
export const attestation = newId();

/** What is asked otherwise than in the good case. */
export interface Asked {
  readonly keys?: Buffer;
  readonly revocations?: Buffer;
  readonly attestation?: Buffer;
  readonly files?: readonly TreeFile[] | null;
  readonly demands?: Demands;
  readonly at?: Date;
}

const predicateFor =
  (files: readonly TreeFile[]) =>
  (change: Partial<Predicate> = {}): Predicate => ({
    alias: 'champion',
    approvals: [{ at: hours(-2).toISOString(), person: 'b'.repeat(32), role: 'validator' }],
    attestation,
    changeRequest: { id: newId(), number: 3 },
    environment: 'production',
    evidence: [{ id: newId(), kind: 'FAIRNESS', required: true, sha256: sha, verdict: 'PASS' }],
    issuer,
    manifest: { sha256: sha },
    model: { id: newId(), name: 'routing' },
    number: 1,
    policy: { revision: 0, sha256: sha },
    tree: { files: files.length, sha256: treeDigestOf(files) },
    useCase: { id: newId(), riskTier: 'HIGH', slug: 'income' },
    validity: { notAfter: hours(48).toISOString(), notBefore: hours(-2).toISOString() },
    version: { id: newId(), number: 7 },
    workspace: 'main',
    ...change,
  });

/** A folder with an attestation, keys and a list that hold, without any database. */
export const openProofs = async () => {
  const place = await mkdtemp(join(tmpdir(), 'countersign-gate-'));
  const folder = join(place, 'model');
  await mkdir(join(folder, 'nested'), { recursive: true });
  await writeFile(join(folder, 'model.bin'), 'weights of a model');
  await writeFile(join(folder, 'nested', 'a b.txt'), 'a space');
  const signer = await openSigner(join(place, 'keys.json'), { createIfMissing: true, issuer });
  const files = await readFolder(folder);
  const predicateOf = predicateFor(files);
  /** Puts bytes into an envelope with a signature that holds. */
  const sealed = async (type: string, payload: Buffer, by = signer): Promise<Buffer> => {
    const bytes = await by.sign(pae(type, payload));
    return Buffer.from(envelopeOf(type, payload, { keyId: by.keyId, bytes }));
  };
  const signed = (type: string, content: object, by = signer): Promise<Buffer> =>
    sealed(type, Buffer.from(canonicalBytes(content)), by);
  const good = {
    keys: keysOf(signer),
    revocations: await signed(revocationsType, listOf()),
    attestation: await signed(statementType, statementOf(predicateOf(), files)),
  };
  const ask = (asked: Asked = {}): Promise<Verdict> => {
    const { keys, revocations, attestation: envelope } = { ...good, ...asked };
    return decide({
      documents: { keys, revocations, attestations: [envelope] },
      files: asked.files === undefined ? files : asked.files,
      demands: asked.demands ?? {},
      at: asked.at ?? now,
      now,
    });
  };
  const rulesOf = async (asked: Asked): Promise<string[]> =>
    (await ask(asked)).reasons.map(({ rule }) => rule);
  return { place, folder, signer, files, good, predicateOf, sealed, signed, ask, rulesOf };
};
