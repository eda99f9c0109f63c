import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { installationRoot } from '../../kernel/root.js';
import { policyDocument, sha256Of, type PolicyDocument } from './policy-document.js';

/** A policy that comes with the installation. */
export interface StartingPolicy {
  readonly name: string;
  readonly source: string;
  readonly sha256: string;
  readonly document: PolicyDocument;
}

const folder = 'policies/approvals';

const readPolicy = (file: string): StartingPolicy => {
  const text = readFileSync(join(installationRoot, ...folder.split('/'), file), 'utf8');
  const parsed = policyDocument.safeParse(parse(text));
  const source = `${folder}/${file}`;
  if (!parsed.success) {
    const faults = parsed.error.issues.map((one) => `${one.path.join('.')}: ${one.message}`);
    throw new Error(`${source} is no approval policy. ${faults.join('; ')}`);
  }
  const document = parsed.data;
  return { name: file.replace(/\.yaml$/, ''), source, sha256: sha256Of(document), document };
};

let known: ReadonlyMap<string, StartingPolicy> | undefined;

/** The policies of `policies/approvals/`, by name; read once, at the start, so that a faulty file stops it. */
export const startingPolicies = (): ReadonlyMap<string, StartingPolicy> => {
  known ??= new Map(
    readdirSync(join(installationRoot, ...folder.split('/')))
      .filter((file) => file.endsWith('.yaml'))
      .map((file) => readPolicy(file))
      .map((policy) => [policy.name, policy]),
  );
  return known;
};

/** The policy of this name; what a workspace starts with must be there. */
export const startingPolicy = (name: string): StartingPolicy => {
  const found = startingPolicies().get(name);
  if (!found) throw new Error(`policies/approvals/${name}.yaml is missing: workspaces start with it`);
  return found;
};
