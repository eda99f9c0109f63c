import { ensembleSignature, type EnsembleSignature } from '../../kernel/ensemble-manifest.js';
import type { ReadDb } from '../../kernel/db.js';
import { AppError } from '../../kernel/errors.js';
import { approvedVersion, type Endpoint } from '../deployments/index.js';

/** The version that an endpoint serves at this moment. */
export interface Champion {
  readonly versionId: string;
  readonly digest: string;
  readonly signature: EnsembleSignature;
  /** The evidence is stale, and what was approved for that is that a person looks at every case. */
  readonly referAll: boolean;
}

/** What a version asks for never changes once it is ready, so it is read once per process. */
const signatures = new Map<string, EnsembleSignature>();
const mostSignatures = 500;

const refuse = (message: string, rule: string, endpoint: Endpoint): AppError =>
  new AppError('PRECONDITION_FAILED', message, { rule, endpoint: endpoint.slug, alias: endpoint.alias });

/** Resolves endpoint → model → alias → version; refuses when nothing fit for it stands there. */
export const championOf = async (db: ReadDb, endpoint: Endpoint, now: Date): Promise<Champion> => {
  const row = await approvedVersion(db, endpoint, now);
  if (!row || row.digest === null || row.state !== 'READY') {
    throw refuse(
      `The endpoint ${endpoint.slug} has no version: promote one to ${endpoint.alias} first`,
      'no-champion',
      endpoint,
    );
  }
  if (row.staleEffect === 'STOP') {
    throw refuse(
      `The endpoint ${endpoint.slug} stands still: the evidence of what it serves is out of date, and that it then stops was approved`,
      'evidence-stale',
      endpoint,
    );
  }
  return {
    versionId: row.id,
    digest: row.digest,
    referAll: row.staleEffect === 'REFER_ALL',
    signature: await signatureOf(db, row.id, endpoint),
  };
};

const signatureOf = async (db: ReadDb, versionId: string, endpoint: Endpoint): Promise<EnsembleSignature> => {
  const known = signatures.get(versionId);
  if (known) return known;
  const [row] = await db.sql<{ inputs: unknown; excluded: unknown }>(
    `select signature -> 'inputs' as inputs, intake -> 'manifest' -> 'excluded' as excluded
       from model_version where id = $1`,
    [versionId],
  );
  const parsed = ensembleSignature.safeParse({ inputs: row?.inputs, excluded: row?.excluded ?? [] });
  if (!parsed.success) {
    throw refuse(
      `The version that ${endpoint.slug} serves is no ensemble with a manifest, so it cannot decide here`,
      'not-runnable',
      endpoint,
    );
  }
  if (signatures.size >= mostSignatures) signatures.clear();
  signatures.set(versionId, parsed.data);
  return parsed.data;
};
