import type { ReadDb } from '../../kernel/db.js';
import { policyDocument, type PolicyDocument } from './policy-document.js';
import { startingPolicy } from './starting-policies.js';

/** The rules of a workspace at this moment. */
export interface PolicyInForce {
  /** 0 while the rules rule that the workspace started with. */
  readonly revision: number;
  readonly sha256: string;
  readonly source: string;
  readonly document: PolicyDocument;
  readonly changeRequestId: string | null;
  readonly createdAt: Date | null;
}

interface Row {
  readonly id: string | null;
  readonly revision: number;
  readonly sha256: string;
  readonly source: string;
  readonly document: unknown;
  readonly changeRequestId: string;
  readonly createdAt: Date;
  readonly startingPolicy: string;
}

/** Revisions never change, so each is parsed once per process. */
const parsed = new Map<string, PolicyDocument>();
const mostParsed = 1000;

/** A stored document, whatever its version. */
export const readPolicyDocument = (id: string, stored: unknown): PolicyDocument => {
  const known = parsed.get(id);
  if (known) return known;
  const document = policyDocument.parse(stored);
  if (parsed.size >= mostParsed) parsed.clear();
  parsed.set(id, document);
  return document;
};

/** The policy of this name of the installation, as a workspace starts with it. */
export const initialPolicy = (name: string): PolicyInForce => {
  const { sha256, source, document } = startingPolicy(name);
  return { revision: 0, sha256, source, document, changeRequestId: null, createdAt: null };
};

/** The newest policy of the workspace, or that with which it started. */
export const policyInForce = async (db: ReadDb): Promise<PolicyInForce> => {
  const [row] = await db.sql<Row>(
    `select p.id, p.revision, p.sha256, p.source, p.document, p.change_request_id as "changeRequestId",
            p.created_at as "createdAt", w.starting_policy as "startingPolicy"
       from workspace w
       left join lateral (select * from approval_policy order by revision desc limit 1) p on true
      where w.id = app_workspace()`,
    [],
    'policy.inForce',
  );
  if (!row?.id) return initialPolicy(row?.startingPolicy ?? 'default');
  const { revision, sha256, source, changeRequestId, createdAt } = row;
  return {
    revision,
    sha256,
    source,
    changeRequestId,
    createdAt,
    document: readPolicyDocument(row.id, row.document),
  };
};
