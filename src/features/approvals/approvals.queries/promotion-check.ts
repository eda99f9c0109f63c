import { z } from 'zod';
import type { Actor } from '../../../kernel/actor.js';
import type { ReadDb } from '../../../kernel/db.js';
import { defineQuery } from '../../../kernel/query.js';
import { sarifOf, sarifSubject, type SarifResult } from '../../checks/index.js';
import { aliasName, foldName } from '../../registry/index.js';
import { isReady } from '../approvals.commands/carry-out.js';
import { heldAgainst } from '../approvals.commands/reconcile.js';
import { ChangeRequest } from '../change-request.entity.js';
import { environmentOf, type Execution, type RuleMode, type StaleEffect } from '../policy-document.js';
import { requireProtected } from '../require-protected.js';
import { requirementsOf, type RequirementView } from '../requirements.js';
import { situationOf } from '../read-situation.js';

/** What moving an alias would need now. */
export interface PromotionCheck {
  readonly allowed: boolean;
  readonly openChangeRequestId: string | null;
  readonly policyRevision: number;
  readonly environment: string;
  readonly rules: readonly string[];
  readonly policyRules: readonly { readonly name: string; readonly mode: RuleMode }[];
  readonly execution: Execution;
  readonly whenStale: StaleEffect;
  readonly freshSignInMinutes: number | null;
  readonly requirements: readonly RequirementView[];
}

const input = z.object({ versionId: z.uuid(), alias: aliasName, useCaseId: z.uuid() });

type Asked = z.output<typeof input>;

/** The open request about this very move, if there is one. */
const openRequest = async (db: ReadDb, asked: Asked, now: Date): Promise<ChangeRequest | undefined> => {
  const { versionId, useCaseId, alias } = asked;
  const open = await db.find(ChangeRequest, { where: { versionId, useCaseId, state: 'OPEN' } });
  return open.find(
    (one) => one.alias !== null && foldName(one.alias) === foldName(alias) && one.expiresAt > now,
  );
};

const look = async (db: ReadDb, actor: Actor, asked: Asked, now: Date): Promise<PromotionCheck> => {
  await requireProtected(db, asked.alias);
  const open = await openRequest(db, asked, now);
  const bare = { kind: 'ALIAS', ...asked, endpointId: null, proposal: null } as const;
  const situation = await situationOf(
    db,
    open ? { ...bare, requestedBy: open.requestedBy, createdAt: open.createdAt } : bare,
    now,
  );
  const decisions = open ? (await heldAgainst(db, open, situation)).decisions : [];
  const { demands, policy } = situation;
  return {
    allowed: isReady(situation, decisions),
    openChangeRequestId: open?.id ?? null,
    policyRevision: policy.revision,
    environment: environmentOf(policy.document, asked.alias),
    rules: demands.rules.map((one) => one.name),
    policyRules: demands.rules,
    execution: demands.execution,
    whenStale: demands.whenStale,
    freshSignInMinutes: demands.freshSignInMinutes,
    requirements: await requirementsOf(db, situation, decisions, open?.requestedBy ?? actor.id),
  };
};

export const promotionCheck = defineQuery({
  name: 'promotion.check',
  describe:
    'Names every requirement for moving a protected alias to a version, its mode, its state and who can move it.',
  permission: 'changeRequest:read',
  input,
  handle: ({ db, actor, input: asked, now }): Promise<PromotionCheck> => look(db, actor, asked, now),
});

const levels = { ENFORCE: 'error', WARN: 'warning', OBSERVE: 'note' } as const;

const resultOf = (one: RequirementView): SarifResult => ({
  rule: one.rule,
  title: one.rule,
  message: one.message,
  level: levels[one.mode],
  verdict: one.state,
  evidenceIds: one.evidenceId === null ? [] : [one.evidenceId],
  permission: one.permission,
});

export const promotionAsSarif = defineQuery({
  name: 'promotion.sarif',
  describe: 'What stands in the way of moving a protected alias to a version, as SARIF 2.1.0.',
  permission: 'changeRequest:read',
  input,
  handle: async ({ db, actor, input: asked, now }): Promise<object> => {
    const subject = await sarifSubject(db, asked);
    const { requirements } = await look(db, actor, asked, now);
    return sarifOf(subject, requirements.filter((one) => one.state !== 'PASS').map(resultOf));
  },
});
