import { z } from 'zod';
import type { Actor } from '../../../kernel/actor.js';
import { defineCommand, nothingChanged } from '../../../kernel/command.js';
import type { ReadDb, Tx } from '../../../kernel/db.js';
import { notFound, type AppError } from '../../../kernel/errors.js';
import { aliasName, foldName, versionOr404 } from '../../registry/index.js';
import { aliasFactsOf, type AliasFacts } from '../alias-facts.js';
import { ChangeRequest } from '../change-request.entity.js';
import { situationOf } from '../read-situation.js';
import { precondition } from '../require-protected.js';
import { blockersOf } from './execute-change.js';
import { decisionsOn } from './find.js';
import { lockRequests, openChangeRequest } from './open-change.js';
import { newPromotion, requireMovable, requireRule } from './request-promotion.js';

/** The one open request about a protected name, as a refusal points to it. */
export interface FoundRequest {
  readonly id: string;
  readonly number: number;
  /** Where people look at it, under the address of the server. */
  readonly url: string;
  /** Whether it is about the version, and the use, that was asked for; another may be open first. */
  readonly sameVersion: boolean;
  /** Whether everything is there, so that executeChange carries it out. */
  readonly ready: boolean;
  readonly failing: readonly { readonly rule: string; readonly message: string }[];
}

const noUseCase = (why: string): AppError =>
  precondition('use-case', `${why}: ask with requestPromotion and say for which use case`, {
    next: 'requestPromotion',
  });

/**
 * The use that a move without one is for: that of what stands there, of an endpoint that serves it, of the evidence
 * of the version, or the only one there is. Where several are as likely, nobody guesses.
 */
const useCaseOfMove = async (db: ReadDb, versionId: string, folded: string): Promise<string> => {
  const rows = await db.sql<{ id: string; place: number }>(
    `select distinct id, place from (
       select a.use_case_id as id, 1 as place from model_alias a join model_version v on v.model_id = a.model_id
        where v.id = $1 and a.folded = $2 and a.use_case_id is not null
       union all
       select e.use_case_id, 2 from endpoint e join model_version v on v.model_id = e.model_id
        where v.id = $1 and lower(e.alias) = $2
       union all
       select e.use_case_id, 3 from evidence e where e.version_id = $1
       union all
       select u.id, 4 from use_case u where (select count(*) from use_case) = 1) known
      order by place, id`,
    [versionId, folded],
  );
  const [first, second] = rows;
  if (!first) throw noUseCase('No use case is known for it');
  if (second?.place === first.place) throw noUseCase('It could be for several use cases');
  return first.id;
};

interface Sought {
  readonly versionId: string;
  readonly useCaseId: string;
}

const found = async (tx: Tx, change: ChangeRequest, sought: Sought, now: Date): Promise<FoundRequest> => {
  const situation = await situationOf(tx, change, now);
  const failing = blockersOf(situation, await decisionsOn(tx, change.id));
  return {
    id: change.id,
    number: change.number,
    url: `/changes/${String(change.number)}`,
    sameVersion: change.versionId === sought.versionId && change.useCaseId === sought.useCaseId,
    ready: failing.length === 0,
    failing,
  };
};

const openAbout = async (tx: Tx, targetKey: string, now: Date): Promise<ChangeRequest | undefined> => {
  const [open] = await tx.find(ChangeRequest, { where: { targetKey, state: 'OPEN' } });
  return open && open.expiresAt > now ? open : undefined;
};

const reasonOf = (actor: Actor, facts: AliasFacts): string =>
  `${actor.name} tried to move ${facts.alias} to version ${String(facts.to.version)}; the call was refused and asks here.`;

export const requestOrFind = defineCommand({
  name: 'changeRequest.requestOrFind',
  describe: 'The one open request about a protected alias; opens it when there is none.',
  permission: 'changeRequest:create',
  input: z.object({
    versionId: z.uuid(),
    modelId: z.uuid().nullish().describe('Refused when the version is of another model.'),
    alias: aliasName,
    useCaseId: z.uuid().nullish().describe('Found out where it can be, when it is not given.'),
    reason: z.string().trim().min(1).max(4000).nullish(),
  }),
  target: (tx, input) => versionOr404(tx, input.versionId),
  handle: async ({ tx, actor, input, target: version, now, enqueue }) => {
    const { versionId } = input;
    if (input.modelId && input.modelId !== version.modelId) throw notFound('The version');
    const useCaseId = input.useCaseId ?? (await useCaseOfMove(tx, versionId, foldName(input.alias)));
    // Two refused calls at the same instant open one request.
    await lockRequests(tx, version.workspaceId);
    const facts = await aliasFactsOf(tx, { versionId, alias: input.alias, useCaseId });
    await requireMovable(tx, facts, facts.alias);
    const asked = newPromotion(facts, version, input.reason ?? reasonOf(actor, facts));
    const open = await openAbout(tx, asked.targetKey, now);
    if (open) return { result: await found(tx, open, { versionId, useCaseId }, now), audit: nothingChanged };
    const byMachine = actor.kind === 'service';
    const opened = await openChangeRequest({ tx, actor, now, enqueue }, { ...asked, byMachine });
    requireRule(opened.situation, facts.alias, facts.useCase.riskTier);
    const change = await tx.findOne(ChangeRequest, { id: opened.id });
    if (!change) throw new Error('The request that was opened is gone');
    return { result: await found(tx, change, { versionId, useCaseId }, now), audit: opened.audit };
  },
});
