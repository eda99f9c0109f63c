import { decideChange, proposePolicy } from '../features/approvals/index.js';
import { initialPolicy } from '../features/approvals/policy-in-force.js';
import type { PolicyDocument } from '../features/approvals/policy-document.js';
import type { TestApp } from './test-app.js';

/** Part of a rule that a test sets. */
export type RulePart = Partial<Omit<PolicyDocument['rules'][number], 'approvals'>> & {
  readonly approvals?: readonly object[];
};

/** The enforced policy of the installation with its one rule changed, and more rules beside it. */
export const policyWith = (
  part: RulePart,
  more: readonly RulePart[] = [],
  top: object = {},
): Record<string, unknown> => {
  const document = structuredClone(initialPolicy('enforced').document);
  const [rule] = document.rules;
  return {
    ...document,
    rules: [{ ...rule, ...part }, ...more.map((one) => ({ ...rule, ...one }))],
    ...top,
  };
};

/** Lets a policy hold in the workspace, as people do it: proposed by one, approved by whom the rules in force ask. */
export const givenPolicy = async (app: TestApp, document: Record<string, unknown>): Promise<string> => {
  const owner = await app.actor('owner');
  const { id } = await app.run(proposePolicy, owner, { document, reason: 'For a test' });
  for (const role of ['validator', 'compliance'] as const) {
    const actor = await app.actor(role);
    const { state } = await app.run(decideChange, actor, {
      changeRequestId: id,
      verdict: 'APPROVE',
      reason: 'Read',
    });
    if (state === 'EXECUTED') break;
  }
  return id;
};
