import { createHash } from 'node:crypto';
import { z } from 'zod';
import { canonicalBytes, type AuditEntry } from '../../kernel/audit.js';
import type { ReadDb, Tx } from '../../kernel/db.js';
import { newId } from '../../kernel/id.js';
import type { Signer } from '../../kernel/signer.js';
import { Approval } from '../approvals/index.js';
import { Incident } from '../incidents/index.js';
import { Artifact, foldName } from '../registry/index.js';
import { Attestation } from './attestation.entity.js';
import { attestationPolicy, dayMs } from './policy.js';
import { envelopeOf, pae, statementType } from './proof/dsse.js';
import { statementOf, type Predicate } from './proof/statement.js';
import { treeDigestOf } from './proof/tree.js';

/** What an attestation needs of the manifest that people approved; everything else in it is theirs. */
const approvedManifest = z.object({
  entries: z
    .object({
      policy: z.object({ revision: z.int(), sha256: z.string() }),
      environment: z.string().optional(),
    })
    .catchall(z.unknown()),
});

const evidenceEntry = z.object({
  id: z.uuid(),
  verdict: z.string(),
  resultSha256: z.string(),
  required: z.boolean(),
});

/** What is said when the change names no environment. */
const defaultEnvironment = 'production';

interface Promotion {
  readonly id: string;
  readonly number: number;
  readonly workspaceId: string;
  readonly workspace: string;
  readonly manifest: unknown;
  readonly manifestSha256: string;
  readonly modelId: string;
  readonly model: string;
  readonly versionId: string;
  readonly version: number;
  readonly useCaseId: string;
  readonly useCase: string;
  readonly riskTier: string;
  readonly alias: string;
}

/** The executed request through which the alias came to name what it names; null when no request did it. */
const promotionOf = async (db: ReadDb, aliasId: string): Promise<Promotion | null> => {
  const [row] = await db.sql<Promotion>(
    `select c.id, c.number, c.workspace_id as "workspaceId", w.slug as workspace, c.manifest,
            c.manifest_sha256 as "manifestSha256", m.id as "modelId", m.name as model, v.id as "versionId", v.version,
            u.id as "useCaseId", u.slug as "useCase", u.risk_tier as "riskTier", a.name as alias
       from model_alias a
       join change_request c on c.id = a.change_request_id and c.state = 'EXECUTED'
       join workspace w on w.id = c.workspace_id
       join registered_model m on m.id = a.model_id
       join model_version v on v.id = a.version_id
       join use_case u on u.id = a.use_case_id
      where a.id = $1`,
    [aliasId],
  );
  return row ?? null;
};

/** Says nothing of a person but that it is the same one, within the workspace. */
export const pseudonymOf = (workspaceId: string, personId: string): string =>
  createHash('sha256')
    .update(`countersign.person/1\n${workspaceId}\n${personId}\n`)
    .digest('hex')
    .slice(0, 32);

const approvalsOf = async (db: ReadDb, { id, workspaceId }: Promotion): Promise<Predicate['approvals']> => {
  const all = await db.find(Approval, {
    where: { changeRequestId: id, verdict: 'APPROVE' },
    order: { id: 'ASC' },
  });
  return all
    .filter((one) => one.voidedAt === null)
    .map((one) => ({
      at: one.createdAt.toISOString(),
      person: pseudonymOf(workspaceId, one.by),
      role: one.role,
    }));
};

const evidencePrefix = 'evidence.';

const evidenceOf = (entries: Readonly<Record<string, unknown>>): Predicate['evidence'] =>
  Object.entries(entries)
    .filter(([name]) => name.startsWith(evidencePrefix))
    .flatMap(([name, value]) => {
      const entry = evidenceEntry.safeParse(value);
      if (!entry.success) return [];
      const { id, verdict, resultSha256: sha256, required } = entry.data;
      return [{ id, kind: name.slice(evidencePrefix.length), required, sha256, verdict }];
    });

/** What one person did without the approvals, and what has to be looked at because of it. */
const emergencyOf = async (db: ReadDb, { id }: Promotion): Promise<Pick<Predicate, 'breakGlass'>> => {
  const incident = await db.findOne(Incident, { changeRequestId: id, kind: 'BREAK_GLASS' });
  if (!incident) return {};
  const { id: incidentId, detail: reason, reviewDueAt } = incident;
  return { breakGlass: { incident: incidentId, reason, reviewDueAt: reviewDueAt.toISOString() } };
};

/** The first end of what the policy asked for, and the limit of the installation at the latest. */
const endOf = async (db: ReadDb, evidence: Predicate['evidence'], now: Date): Promise<Date> => {
  const ids = evidence.filter(({ required }) => required).map(({ id }) => id);
  const limit = new Date(now.getTime() + attestationPolicy().validityDays * dayMs);
  const [row] = await db.sql<{ first: Date | null }>(
    'select min(expires_at) as first from evidence where id = any($1)',
    [ids],
  );
  return row?.first && row.first < limit ? row.first : limit;
};

/** One after the other, so that two promotions of a workspace do not take the same number. */
const nextNumber = async (tx: Tx, workspaceId: string): Promise<number> => {
  await tx.sql(`select pg_advisory_xact_lock(hashtextextended('attestation of ' || $1, 0))`, [workspaceId]);
  const [row] = await tx.sql<{ next: number }>(
    'select coalesce(max(number), 0) + 1 as next from attestation where workspace_id = $1',
    [workspaceId],
  );
  return row?.next ?? 1;
};

interface Attesting {
  readonly signer: Signer;
  readonly now: Date;
}

const predicateOf = async (
  tx: Tx,
  promotion: Promotion,
  files: readonly Artifact[],
  { signer, now }: Attesting,
): Promise<Predicate> => {
  const { entries } = approvedManifest.parse(promotion.manifest);
  const evidence = evidenceOf(entries);
  const notAfter = await endOf(tx, evidence, now);
  return {
    alias: promotion.alias,
    approvals: await approvalsOf(tx, promotion),
    attestation: newId(),
    ...(await emergencyOf(tx, promotion)),
    changeRequest: { id: promotion.id, number: promotion.number },
    environment: entries.environment ?? defaultEnvironment,
    evidence,
    issuer: signer.issuer,
    manifest: { sha256: promotion.manifestSha256 },
    model: { id: promotion.modelId, name: promotion.model },
    number: await nextNumber(tx, promotion.workspaceId),
    policy: { revision: entries.policy.revision, sha256: entries.policy.sha256 },
    tree: { files: files.length, sha256: treeDigestOf(files) },
    useCase: { id: promotion.useCaseId, riskTier: promotion.riskTier, slug: promotion.useCase },
    validity: { notAfter: notAfter.toISOString(), notBefore: now.toISOString() },
    version: { id: promotion.versionId, number: promotion.version },
    workspace: promotion.workspace,
  };
};

/**
 * Signs what was approved when an alias came to name a version through an executed request, in the transaction that
 * moved it. Returns what the trail must say, or null when no request moved it.
 */
export const attestMove = async (
  tx: Tx,
  aliasId: string,
  attesting: Attesting,
): Promise<AuditEntry | null> => {
  const promotion = await promotionOf(tx, aliasId);
  if (!promotion) return null;
  const { signer, now } = attesting;
  const files = await tx.find(Artifact, { where: { versionId: promotion.versionId } });
  const predicate = await predicateOf(tx, promotion, files, attesting);
  const payload = Buffer.from(canonicalBytes(statementOf(predicate, files)));
  const bytes = await signer.sign(pae(statementType, payload));
  const { attestation: id, number, alias, environment, tree } = predicate;
  await tx.insert(Attestation, {
    id,
    number,
    alias,
    environment,
    workspaceId: promotion.workspaceId,
    changeRequestId: promotion.id,
    modelId: promotion.modelId,
    versionId: promotion.versionId,
    useCaseId: promotion.useCaseId,
    foldedAlias: foldName(alias),
    treeSha256: tree.sha256,
    manifestSha256: promotion.manifestSha256,
    keyId: signer.keyId,
    envelope: envelopeOf(statementType, payload, { keyId: signer.keyId, bytes }),
    notBefore: now,
    notAfter: new Date(predicate.validity.notAfter),
    createdAt: now,
  });
  return {
    subject: { kind: 'attestation', id },
    changes: { number: { from: null, to: number } },
    facts: {
      changeRequestId: promotion.id,
      payloadSha256: createHash('sha256').update(payload).digest('hex'),
      keyId: signer.keyId,
      treeSha256: tree.sha256,
      notAfter: predicate.validity.notAfter,
    },
  };
};
