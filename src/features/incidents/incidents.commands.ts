import { z } from 'zod';
import type { Actor } from '../../kernel/actor.js';
import type { AuditEntry } from '../../kernel/audit.js';
import { defineCommand } from '../../kernel/command.js';
import type { Tx } from '../../kernel/db.js';
import { AppError, conflict, notFound } from '../../kernel/errors.js';
import { newId } from '../../kernel/id.js';
import { openFinding } from '../findings/index.js';
import { lineageActors } from '../registry/index.js';
import { Incident, incidentVerdict } from './incident.entity.js';

const dayMs = 86_400_000;

/** What a new incident says. */
export interface NewIncident {
  readonly workspaceId: string;
  readonly title: string;
  readonly detail: string;
  readonly modelId: string;
  readonly versionId: string;
  readonly changeRequestId: string;
  readonly openedBy: string;
  readonly reviewDueAt: Date;
  readonly now: Date;
}

/** Opens an incident in the caller's transaction; returns its id and what the trail must say of it. */
export const openIncident = async (
  tx: Tx,
  { now, ...incident }: NewIncident,
): Promise<{ id: string; audit: AuditEntry }> => {
  const id = newId();
  const untouched = { verdict: null, review: null, reviewedBy: null, reviewedAt: null };
  await tx.insert(Incident, {
    id,
    ...incident,
    ...untouched,
    kind: 'BREAK_GLASS',
    state: 'OPEN',
    openedAt: now,
  });
  const { title, changeRequestId, versionId, reviewDueAt } = incident;
  const audit: AuditEntry = {
    subject: { kind: 'incident', id },
    changes: { state: { from: null, to: 'OPEN' } },
    facts: { title, changeRequestId, versionId, reviewDueAt: reviewDueAt.toISOString() },
  };
  return { id, audit };
};

const requireIndependent = async (tx: Tx, incident: Incident, actor: Actor): Promise<void> => {
  const refuse = (rule: string, message: string): never => {
    throw new AppError('FORBIDDEN', message, { rule });
  };
  if (actor.kind !== 'user') refuse('service-account', 'Only a person reviews an incident');
  if (actor.id === incident.openedBy) {
    refuse('requester', 'Whoever broke the glass does not review it; somebody independent does');
  }
  if ((await lineageActors(tx, incident.versionId)).has(actor.id)) {
    refuse('separation-of-duties', 'Whoever had a hand in the version does not review what was done with it');
  }
};

/** What can be done about it; nothing moves by itself. */
const offer =
  'Nothing has moved by this. Where the alias still stands as the emergency left it, move it with rollbackAlias or requestPromotion; so that no gate lets it pass, take the attestation of this change request back with revokeAttestation.';

/** What was not justified leaves a finding for whoever did it. */
const findingOf = async (
  tx: Tx,
  incident: Incident,
  { review, by, now }: { readonly review: string; readonly by: string; readonly now: Date },
): Promise<AuditEntry> => {
  const opened = await openFinding(tx, {
    workspaceId: incident.workspaceId,
    title: `Not justified: ${incident.title}`.slice(0, 200).toWellFormed(),
    detail: `${review}

${offer}`,
    severity: 'HIGH',
    ownerId: incident.openedBy,
    dueAt: new Date(now.getTime() + 7 * dayMs),
    subject: { kind: 'modelVersion', id: incident.versionId },
    changeRequestId: incident.changeRequestId,
    createdBy: by,
    now,
  });
  return opened.audit;
};

export const reviewIncident = defineCommand({
  name: 'incident.review',
  describe:
    'Looks at an incident afterwards, as somebody independent. What was not justified opens a finding.',
  permission: 'incident:review',
  input: z.object({
    incidentId: z.uuid(),
    verdict: incidentVerdict,
    review: z.string().trim().min(1).max(4000).describe('What you looked at and found.'),
  }),
  target: async (tx, input) => {
    const incident = await tx.lock(Incident, { id: input.incidentId });
    if (!incident) throw notFound('The incident');
    return incident;
  },
  handle: async ({ tx, actor, input, target, now }) => {
    if (target.state === 'REVIEWED') {
      throw conflict('The incident is reviewed already', { rule: 'reviewed', at: target.reviewedAt });
    }
    await requireIndependent(tx, target, actor);
    const { verdict, review } = input;
    const reviewed = { verdict, review, reviewedBy: actor.id, reviewedAt: now };
    await tx.update(Incident, { id: target.id }, { state: 'REVIEWED', ...reviewed });
    const told =
      verdict === 'UNJUSTIFIED' ? [await findingOf(tx, target, { review, by: actor.id, now })] : [];
    const entry: AuditEntry = {
      subject: { kind: 'incident', id: target.id },
      changes: { state: { from: 'OPEN', to: 'REVIEWED' }, verdict: { from: null, to: verdict } },
      facts: { review, late: target.reviewDueAt <= now },
    };
    return { result: { id: target.id }, audit: [entry, ...told] };
  },
});
