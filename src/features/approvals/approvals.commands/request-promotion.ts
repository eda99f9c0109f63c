import { z } from 'zod';
import { defineCommand } from '../../../kernel/command.js';
import type { ReadDb } from '../../../kernel/db.js';
import { conflict, notFound } from '../../../kernel/errors.js';
import { aliasName, foldName, versionOr404, type ModelVersion } from '../../registry/index.js';
import { aliasFactsOf, type AliasFacts } from '../alias-facts.js';
import type { Situation } from '../situation.js';
import { precondition, requireProtected } from '../require-protected.js';
import { openChangeRequest, type NewChange } from './open-change.js';

/** Refuses a move that nobody could approve. */
export const requireMovable = async (db: ReadDb, facts: AliasFacts, alias: string): Promise<void> => {
  if (facts.deleted) throw notFound('The version');
  await requireProtected(db, alias);
  if (facts.state === 'REJECTED') {
    throw precondition(
      'version-ready',
      `Version ${String(facts.to.version)} was rejected by intake: ${facts.stateMessage}`,
    );
  }
  if (facts.from?.id === facts.to.id && facts.fromUseCaseId === facts.useCase.id) {
    throw conflict(`${alias} names version ${String(facts.to.version)} for this use already`, {
      rule: 'nothing-to-change',
    });
  }
};

const requireRule = (situation: Situation, alias: string, tier: string): void => {
  if (situation.demands.rules.length > 0) return;
  const sentence = `No rule of the policy says what moving ${alias} needs in a use case of risk ${tier}; propose one`;
  throw precondition('no-rule', sentence, { next: 'proposePolicy' });
};

const titleOf = (facts: AliasFacts, alias: string): string => {
  const from = facts.from ? ` from version ${String(facts.from.version)}` : '';
  return `Move ${alias} of ${facts.modelName}${from} to version ${String(facts.to.version)} for ${facts.useCase.name}`;
};

/** What is asked for when an alias shall move. */
export const newPromotion = (facts: AliasFacts, version: ModelVersion, reason: string): NewChange => ({
  kind: 'ALIAS',
  targetKey: `alias:${version.modelId}:${foldName(facts.alias)}`,
  title: titleOf(facts, facts.alias),
  reason,
  modelId: version.modelId,
  versionId: version.id,
  alias: facts.alias,
  useCaseId: facts.useCase.id,
  endpointId: null,
  proposal: null,
});

export const requestPromotion = defineCommand({
  name: 'changeRequest.create',
  describe: 'Asks that a protected alias moves to a version, for a use case. People decide; then it moves.',
  permission: 'changeRequest:create',
  input: z.object({
    versionId: z.uuid(),
    alias: aliasName,
    useCaseId: z.uuid(),
    reason: z.string().trim().min(1).max(4000).describe('Why it should move, for those who decide.'),
  }),
  target: (tx, input) => versionOr404(tx, input.versionId),
  handle: async ({ tx, actor, input, target, now, enqueue }) => {
    const { versionId, useCaseId, reason } = input;
    const facts = await aliasFactsOf(tx, { versionId, alias: input.alias, useCaseId });
    const { alias } = facts;
    await requireMovable(tx, facts, alias);
    const opened = await openChangeRequest({ tx, actor, now, enqueue }, newPromotion(facts, target, reason));
    requireRule(opened.situation, alias, facts.useCase.riskTier);
    return { result: { id: opened.id }, audit: opened.audit };
  },
});
