import { z } from 'zod';
import { defineCommand, nothingChanged } from '../../../kernel/command.js';
import type { Tx } from '../../../kernel/db.js';
import { aliasName, versionOr404 } from '../../registry/index.js';
import { aliasFactsOf } from '../alias-facts.js';
import { ChangeRequest } from '../change-request.entity.js';
import { situationOf } from '../situation.js';
import { blockersOf } from './execute-change.js';
import { decisionsOn } from './find.js';
import { openChangeRequest } from './open-change.js';
import { newPromotion, requireMovable } from './request-promotion.js';

/** The one open request about a protected name, as a refusal points to it. */
export interface FoundRequest {
  readonly id: string;
  readonly number: number;
  /** Where people look at it, under the address of the server. */
  readonly url: string;
  /** Whether it is about the version that was asked for; another may be open first. */
  readonly sameVersion: boolean;
  /** Whether everything is there, so that executeChange carries it out. */
  readonly ready: boolean;
  readonly failing: readonly { readonly rule: string; readonly message: string }[];
}

const found = async (tx: Tx, change: ChangeRequest, versionId: string, now: Date): Promise<FoundRequest> => {
  const situation = await situationOf(tx, change, now);
  const failing = blockersOf(situation, await decisionsOn(tx, change.id));
  return {
    id: change.id,
    number: change.number,
    url: `/changes/${String(change.number)}`,
    sameVersion: change.versionId === versionId,
    ready: failing.length === 0,
    failing,
  };
};

const openAbout = async (tx: Tx, targetKey: string, now: Date): Promise<ChangeRequest | undefined> => {
  const [open] = await tx.find(ChangeRequest, { where: { targetKey, state: 'OPEN' } });
  return open && open.expiresAt > now ? open : undefined;
};

export const requestOrFind = defineCommand({
  name: 'changeRequest.requestOrFind',
  describe: 'The one open request about a protected alias; opens it when there is none.',
  permission: 'changeRequest:create',
  input: z.object({
    versionId: z.uuid(),
    alias: aliasName,
    useCaseId: z.uuid(),
    reason: z.string().trim().min(1).max(4000),
  }),
  target: (tx, input) => versionOr404(tx, input.versionId),
  handle: async ({ tx, actor, input, target: version, now, enqueue }) => {
    const { versionId, useCaseId } = input;
    const facts = await aliasFactsOf(tx, { versionId, alias: input.alias, useCaseId });
    await requireMovable(tx, facts, facts.alias);
    const asked = newPromotion(facts, version, input.reason);
    const open = await openAbout(tx, asked.targetKey, now);
    if (open) return { result: await found(tx, open, versionId, now), audit: nothingChanged };
    const opened = await openChangeRequest({ tx, actor, now, enqueue }, asked);
    const change = await tx.findOne(ChangeRequest, { id: opened.id });
    if (!change) throw new Error('The request that was opened is gone');
    return { result: await found(tx, change, versionId, now), audit: opened.audit };
  },
});
