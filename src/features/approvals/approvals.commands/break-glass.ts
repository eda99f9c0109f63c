import { z } from 'zod';
import type { Actor } from '../../../kernel/actor.js';
import type { AuditEntry } from '../../../kernel/audit.js';
import { defineCommand } from '../../../kernel/command.js';
import type { Tx } from '../../../kernel/db.js';
import { invalidInput } from '../../../kernel/errors.js';
import { openIncident } from '../../incidents/index.js';
import { aliasName, foldName, versionOr404, type ModelVersion } from '../../registry/index.js';
import { aliasFactsOf, type AliasFacts } from '../alias-facts.js';
import { ChangeRequest } from '../change-request.entity.js';
import type { Situation } from '../situation.js';
import { carryOut } from './carry-out.js';
import { lockChange } from './find.js';
import { requireFreshSignIn } from './fresh-sign-in.js';
import { openChangeRequest, type Opening } from './open-change.js';
import { newPromotion, requireMovable } from './request-promotion.js';

const hourMs = 3_600_000;

/** What is open about the same alias makes room: an emergency waits for nobody. */
const supersede = async (tx: Tx, targetKey: string, actor: Actor, now: Date): Promise<AuditEntry[]> => {
  const [open] = await tx.find(ChangeRequest, { where: { targetKey, state: 'OPEN' } });
  if (!open) return [];
  const closed = { state: 'WITHDRAWN', closedBy: actor.id, closedAt: now } as const;
  const closeReason = 'superseded: somebody broke the glass';
  await tx.update(ChangeRequest, { id: open.id }, { ...closed, closeReason });
  return [
    {
      subject: { kind: 'changeRequest', id: open.id },
      changes: { state: { from: open.state, to: 'WITHDRAWN' } },
      facts: { reason: closeReason },
    },
  ];
};

interface Breaking {
  readonly opening: Opening;
  readonly facts: AliasFacts;
  readonly version: ModelVersion;
  readonly reason: string;
}

/** Opens the request and carries it out at once; what policy asks for is left out, what code asks for is not. */
const execute = async ({
  opening,
  facts,
  version,
  reason,
}: Breaking): Promise<{ change: ChangeRequest; situation: Situation; audit: AuditEntry[] }> => {
  const { tx, actor, now } = opening;
  const asked = newPromotion(facts, version, reason);
  const superseded = await supersede(tx, asked.targetKey, actor, now);
  const opened = await openChangeRequest(opening, asked);
  const { situation } = opened;
  const change = await lockChange(tx, opened.id);
  requireFreshSignIn(situation, actor, change, now);
  const carried = await carryOut(tx, { change, situation, actorId: actor.id, now });
  await tx.update(ChangeRequest, { id: change.id }, { breakGlassReason: reason });
  return { change, situation, audit: [...opened.audit, ...superseded, ...carried] };
};

export const breakGlass = defineCommand({
  name: 'changeRequest.breakGlass',
  describe:
    'In an emergency: moves a protected alias at once, alone. It opens an incident that somebody independent must review.',
  permission: 'changeRequest:breakGlass',
  input: z.object({
    versionId: z.uuid(),
    alias: aliasName,
    useCaseId: z.uuid(),
    reason: z.string().trim().min(20, 'must say what the emergency is').max(4000),
  }),
  target: (tx, input) => versionOr404(tx, input.versionId),
  handle: async ({ tx, actor, input, target: version, now, enqueue }) => {
    if (actor.kind !== 'user') throw invalidInput('A person breaks the glass and answers for it');
    const { versionId, useCaseId, reason } = input;
    const facts = await aliasFactsOf(tx, { versionId, alias: input.alias, useCaseId });
    await requireMovable(tx, facts, facts.alias);
    const done = await execute({ opening: { tx, actor, now, enqueue }, facts, version, reason });
    const { change, situation } = done;
    const hours = situation.policy.document.breakGlass.reviewWithinHours;
    const incident = await openIncident(tx, {
      workspaceId: change.workspaceId,
      title: `Glass broken: ${change.title}`.slice(0, 200).toWellFormed(),
      detail: reason,
      modelId: facts.modelId,
      versionId,
      changeRequestId: change.id,
      openedBy: actor.id,
      reviewDueAt: new Date(now.getTime() + hours * hourMs),
      now,
    });
    const blocked = situation.checks.filter((one) => one.state !== 'PASS').map((one) => one.rule);
    const entry: AuditEntry = {
      subject: { kind: 'changeRequest', id: change.id },
      facts: { breakGlass: reason, incidentId: incident.id, alias: foldName(facts.alias), notMet: blocked },
    };
    const result = { id: change.id, incidentId: incident.id };
    return { result, audit: [entry, ...done.audit, incident.audit] };
  },
});
