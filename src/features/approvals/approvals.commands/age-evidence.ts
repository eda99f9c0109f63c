import { z } from 'zod';
import type { Actor } from '../../../kernel/actor.js';
import type { AuditEntry } from '../../../kernel/audit.js';
import { defineCommand, nothingChanged, type CommandOutcome } from '../../../kernel/command.js';
import type { Tx } from '../../../kernel/db.js';
import { makeStale, type InvalidationCause } from '../../evaluations/index.js';
import { versionOr404, type ModelVersion } from '../../registry/index.js';
import {
  evidenceBefore,
  evidenceMeasuredBy,
  policyAsks,
  standingOf,
  trainedOnOlder,
  type Aged,
} from '../approvals.queries/aged.js';

/** What happened, to a version whose evidence rests on it. */
interface Event {
  readonly version: ModelVersion;
  readonly aged: readonly Aged[];
  readonly cause: InvalidationCause;
  readonly reason: string;
  readonly actor: Actor;
  readonly now: Date;
}

type Done = CommandOutcome<{ readonly evidenceIds: readonly string[] }>;

const nothing: Done = { result: { evidenceIds: [] }, audit: nothingChanged };

/** As `invalidateEvidence` does it, for each use case. */
const age = async (tx: Tx, { version, aged, cause, reason, actor, now }: Event): Promise<Done> => {
  const evidenceIds: string[] = [];
  const audit: AuditEntry[] = [];
  for (const { useCaseId, kinds } of aged) {
    const { workspaceId, id: versionId } = version;
    const about = { workspaceId, versionId, useCaseId, kinds, cause, reason };
    const done = await makeStale(tx, { ...about, by: actor.id, now });
    evidenceIds.push(...done.evidenceIds);
    audit.push(...done.audit);
  }
  const [first, ...others] = audit;
  return first ? { result: { evidenceIds }, audit: [first, ...others] } : nothing;
};

/** Two who say the same at the same instant wait for each other. */
const hold = async (tx: Tx, versionId: string): Promise<void> => {
  await tx.sql('select 1 from model_version where id = $1 for no key update', [versionId]);
};

export const staleByData = defineCommand({
  name: 'evidence.staleByData',
  describe:
    'Makes evidence of a version stale because its training data has a newer version, where the policy asks for it.',
  permission: 'evidence:invalidate',
  input: z.object({ versionId: z.uuid(), datasetVersionId: z.uuid() }),
  target: (tx, input) => versionOr404(tx, input.versionId),
  handle: async ({ tx, actor, input, target: version, now }) => {
    await hold(tx, version.id);
    const asked = { ...input, after: null, first: 1 };
    const [data] = (await policyAsks(tx, 'NEW_DATA_VERSION')) ? await trainedOnOlder(tx, asked) : [];
    if (!data) return nothing;
    const aged = await evidenceBefore(tx, version.id, data.registeredAt);
    const trained = `the model was trained on version ${String(data.trainedOn)}`;
    const reason = `The data set ${data.name} has version ${String(data.version)}; ${trained}`;
    return age(tx, { version, aged, cause: 'DATA_VERSION', reason, actor, now });
  },
});

const sentences = {
  LEFT: 'is no longer in the workspace',
  LOST: 'holds no role any more that may have evidence measured',
} as const;

export const staleByMember = defineCommand({
  name: 'evidence.staleByMember',
  describe:
    'Makes evidence of a version stale that somebody had measured who may not any more, where the policy asks for it.',
  permission: 'evidence:invalidate',
  input: z.object({
    versionId: z.uuid(),
    userId: z.uuid(),
    roles: z.array(z.string().max(100)).max(50).describe('The roles that may have evidence measured.'),
  }),
  target: (tx, input) => versionOr404(tx, input.versionId),
  handle: async ({ tx, actor, input: { userId, roles }, target: version, now }) => {
    await hold(tx, version.id);
    const standing = await standingOf(tx, userId, roles);
    if (standing === 'HOLDS' || !(await policyAsks(tx, 'REVOKED_MEMBER'))) return nothing;
    const aged = await evidenceMeasuredBy(tx, version.id, userId);
    // The trail is for ever, a name is not: the id leads to it as long as it is known.
    const reason = `The person ${userId}, who had it measured, ${sentences[standing]}`;
    return age(tx, { version, aged, cause: 'REVOKED_MEMBER', reason, actor, now });
  },
});
