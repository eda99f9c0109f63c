import { In } from 'typeorm';
import { z } from 'zod';
import type { Actor } from '../../../kernel/actor.js';
import type { ReadDb } from '../../../kernel/db.js';
import { maxPageSize } from '../../../kernel/page.js';
import type { Permission } from '../../../kernel/permissions.js';
import { defineQuery } from '../../../kernel/query.js';
import { isReady } from '../approvals.commands/carry-out.js';
import { lentRoles } from '../approvals.commands/find.js';
import { heldAgainst } from '../approvals.commands/reconcile.js';
import { ChangeRequest } from '../change-request.entity.js';
import { canDecide, closedFault, type Counted, type LentRole } from '../decide-rules.js';
import { voids, type Difference } from '../manifest.js';
import type { Execution } from '../policy-document.js';
import { requirementsOf, type RequirementView } from '../requirements.js';
import { situationOf } from '../read-situation.js';
import type { Situation } from '../situation.js';

/** How an open request stands at this moment. */
export interface Standing {
  readonly id: string;
  /** Whether it would be carried out now. */
  readonly ready: boolean;
  /** What a decision taken now is bound to. */
  readonly manifestSha256: string;
  /** What changed since the request was last held against the present; decisions are voided when it says so. */
  readonly differences: readonly (Difference & { readonly voids: boolean })[];
  readonly requirements: readonly RequirementView[];
  readonly viewerCan: readonly string[];
  /** Whether the last approval carries it out, or the caller does. */
  readonly execution: Execution;
}

interface Looking {
  readonly db: ReadDb;
  readonly actor: Actor;
  readonly now: Date;
  readonly may: (permission: Permission) => boolean;
}

const verdicts = [
  ['approve', 'APPROVE'],
  ['reject', 'REJECT'],
  ['requestChanges', 'REQUEST_CHANGES'],
] as const;

interface Read {
  readonly change: ChangeRequest;
  readonly situation: Situation;
  readonly decisions: readonly Counted[];
  readonly lent: readonly LentRole[];
}

const deedsOf = (
  { actor, now, may }: Looking,
  { change, situation, decisions, lent }: Read,
  ready: boolean,
): string[] => {
  if (closedFault({ change, now })) return [];
  const one = { change, situation, decisions, now, lent };
  const deciding = may('changeRequest:decide')
    ? verdicts.filter(([, verdict]) => canDecide(one, actor, verdict)).map(([deed]) => deed)
    : [];
  const decided = decisions.some((decision) => decision.by === actor.id) && may('changeRequest:decide');
  return [
    ...deciding,
    ...(decided ? ['withdrawDecision'] : []),
    ...(change.requestedBy === actor.id && may('changeRequest:withdraw') ? ['withdraw'] : []),
    ...(ready && may('changeRequest:create') ? ['execute'] : []),
  ];
};

const closedStanding = (change: ChangeRequest): Standing => ({
  id: change.id,
  ready: false,
  manifestSha256: change.manifestSha256,
  differences: [],
  requirements: [],
  viewerCan: [],
  execution: 'ON_APPROVAL',
});

const standingOf = async (looking: Looking, change: ChangeRequest): Promise<Standing> => {
  const { db, now } = looking;
  // What has ended stands as it ended; the present has no say in it any more.
  if (closedFault({ change, now })) return closedStanding(change);
  const situation = await situationOf(db, change, now);
  const { decisions, differences } = await heldAgainst(db, change, situation);
  const ready = isReady(situation, decisions);
  const lent = await lentRoles(db, looking.actor.id, now);
  return {
    id: change.id,
    ready,
    manifestSha256: situation.digest,
    differences: differences.map((one) => ({ ...one, voids: voids(one) })),
    requirements: await requirementsOf(db, situation, decisions, change.requestedBy),
    viewerCan: deedsOf(looking, { change, situation, decisions, lent }, ready),
    execution: situation.demands.execution,
  };
};

export const changeStandings = defineQuery({
  name: 'changeRequest.standing',
  describe: 'How change requests stand at this moment, and what you can do about them.',
  permission: 'changeRequest:read',
  input: z.object({ ids: z.array(z.uuid()).max(maxPageSize) }),
  handle: async ({ db, actor, now, may, input }): Promise<Standing[]> => {
    const changes = await db.find(ChangeRequest, { where: { id: In(input.ids) } });
    const standings: Standing[] = [];
    // One after the other: a connection runs one statement at a time.
    for (const change of changes) standings.push(await standingOf({ db, actor, now, may }, change));
    return standings;
  },
});
