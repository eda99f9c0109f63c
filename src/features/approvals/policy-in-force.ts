import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { ReadDb } from '../../kernel/db.js';
import { installationRoot } from '../../kernel/root.js';
import { ApprovalPolicy } from './approval-policy.entity.js';
import { policyDocument, sha256Of, type PolicyDocument } from './policy-document.js';

/** The rules of a workspace at this moment. */
export interface PolicyInForce {
  /** 0 while the defaults of the installation rule. */
  readonly revision: number;
  readonly sha256: string;
  readonly source: string;
  readonly document: PolicyDocument;
  readonly changeRequestId: string | null;
  readonly createdAt: Date | null;
}

const source = 'policies/approvals/default.yaml';

let known: PolicyInForce | undefined;

/** What a workspace starts with; the file is read once. */
export const defaultPolicy = (): PolicyInForce => {
  if (known) return known;
  const text = readFileSync(join(installationRoot, ...source.split('/')), 'utf8');
  const document = policyDocument.parse(parse(text));
  known = {
    revision: 0,
    sha256: sha256Of(document),
    source,
    document,
    changeRequestId: null,
    createdAt: null,
  };
  return known;
};

/** The newest policy of the workspace, or the default. */
export const policyInForce = async (db: ReadDb): Promise<PolicyInForce> => {
  const [row] = await db.find(ApprovalPolicy, { order: { revision: 'DESC' }, take: 1 });
  return row ?? defaultPolicy();
};
