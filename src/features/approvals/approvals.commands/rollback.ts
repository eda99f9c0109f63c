import { z } from 'zod';
import { defineCommand, type CommandContext } from '../../../kernel/command.js';
import type { Tx } from '../../../kernel/db.js';
import { AppError, conflict, notFound } from '../../../kernel/errors.js';
import { aliasName, foldName, lockModel, ModelAlias, moveAlias, versionOr404 } from '../../registry/index.js';
import type { ChangeRequest } from '../change-request.entity.js';
import { differencesOf, readManifest, voids, type Difference } from '../manifest.js';
import { precondition, requireProtected } from '../require-protected.js';
import { situationOf } from '../read-situation.js';
import type { Situation } from '../situation.js';
import { isReady } from './carry-out.js';
import { blockersOf } from './execute-change.js';
import { decisionsOn, lockChange } from './find.js';
import { openChangeRequest } from './open-change.js';

interface Standing {
  /** The alias, which is what the trail tells of. */
  readonly id: string;
  readonly alias: ModelAlias;
  /** The approval that the rollback rests on; null when there never was one. */
  readonly earlier: ChangeRequest | null;
}

/** The newest executed approval of this alias for its present use: of the version asked for, else of the last other one. */
const earlierApproval = async (
  tx: Tx,
  alias: ModelAlias,
  versionId: string | null,
): Promise<ChangeRequest | null> => {
  const rows = await tx.sql<{ id: string; alias: string }>(
    `select id, alias from change_request
      where workspace_id = app_workspace() and model_id = $1 and kind = 'ALIAS' and state = 'EXECUTED'
        and use_case_id = $2 and version_id <> $3 and ($4::uuid is null or version_id = $4)
      order by executed_at desc, id desc`,
    [alias.modelId, alias.useCaseId, alias.versionId, versionId],
  );
  const found = rows.find((row) => foldName(row.alias) === alias.folded);
  // The same locks as whoever decides: what the approval rests on stands still until the commit.
  return found ? lockChange(tx, found.id) : null;
};

const target = async (
  tx: Tx,
  input: { modelId: string; alias: string; versionId?: string | null | undefined },
): Promise<Standing> => {
  const find = { modelId: input.modelId, folded: foldName(input.alias) };
  const before = await tx.findOne(ModelAlias, find);
  if (!before) throw notFound(`The alias ${input.alias}`);
  const earlier = await earlierApproval(tx, before, input.versionId ?? null);
  await lockModel(tx, input.modelId);
  const alias = await tx.lock(ModelAlias, find);
  if (alias?.versionId === before.versionId) return { id: alias.id, alias, earlier };
  throw conflict('Somebody moved the alias at this moment; look again', { rule: 'alias-moved' });
};

/**
 * Every entry but where the alias came from: that is what a rollback changes. Newer evidence that is no worse takes no
 * ground from an approval, here as elsewhere.
 */
const brokenEntries = (earlier: ChangeRequest, situation: Situation): Difference[] =>
  differencesOf(readManifest(earlier.manifest), situation.manifest).filter(
    (one) => one.entry !== 'version.from' && voids(one),
  );

/**
 * A proof that somebody took back is not issued a second time on the same approval: whoever took it back knew something
 * of the version that nobody else looks at. A later approval by people starts anew.
 */
const requireNotTakenBack = async (tx: Tx, earlier: ChangeRequest): Promise<void> => {
  const [taken] = await tx.sql<{ number: number; at: Date }>(
    `select a.number, r.revoked_at as at
       from attestation a join attestation_revocation r on r.attestation_id = a.id
      where a.version_id = $1 and r.reason = 'REVOKED'
        and (a.change_request_id = $2 or r.revoked_at >= $3)
      order by r.revoked_at desc limit 1`,
    [earlier.versionId, earlier.id, earlier.executedAt],
  );
  if (!taken) return;
  throw precondition(
    'attestation-revoked',
    `Attestation #${String(taken.number)} of the version was taken back at ${taken.at.toISOString()}: ask people again with requestPromotion`,
    { next: 'requestPromotion', attestation: taken.number, revokedAt: taken.at },
  );
};

/** Whoever approved then and has had a hand in the version since does not carry it a second time. */
const involved = (situation: Situation, decisions: readonly { readonly by: string }[]): Why['blockers'] =>
  decisions.some(({ by }) => situation.lineage.has(by) || situation.barred.has(by))
    ? [{ rule: 'separation-of-duties', message: 'Somebody who approved it has a hand in the version now' }]
    : [];

type Context = CommandContext<{ reason: string; modelId: string }, Standing>;

/** Moves the alias back on the strength of the earlier approval. */
const goBack = async ({ tx, actor, now, input, target: { alias } }: Context, earlier: ChangeRequest) => {
  const { modelId, versionId, useCaseId, number, id: changeRequestId } = earlier;
  if (modelId === null || versionId === null) throw new Error('An approval of no version');
  const place = { alias: alias.name, useCaseId, changeRequestId, actorId: actor.id, now };
  const { audit } = await moveAlias(tx, { modelId, versionId, ...place });
  return {
    result: { id: alias.id, executed: true, changeRequestId, number, differences: [], blockers: [] },
    audit: { ...audit, facts: { ...audit.facts, rollback: { changeRequest: number, reason: input.reason } } },
  };
};

interface Why {
  readonly differences: readonly Difference[];
  readonly blockers: readonly { readonly rule: string; readonly message: string }[];
}

/** Asks the people again, with what they approved before. */
const askAgain = async (
  { tx, actor, now, enqueue, input, target: { alias } }: Context,
  earlier: ChangeRequest,
  why: Why,
) => {
  const { modelId, versionId, useCaseId } = earlier;
  const opened = await openChangeRequest(
    { tx, actor, now, enqueue },
    {
      kind: 'ALIAS',
      targetKey: `alias:${input.modelId}:${alias.folded}`,
      title: `Roll back: ${earlier.title}`.slice(0, 500).toWellFormed(),
      reason: `${input.reason} (approved before by change request #${String(earlier.number)})`,
      modelId,
      versionId,
      alias: alias.name,
      useCaseId,
      endpointId: null,
      proposal: null,
    },
  );
  return {
    result: { id: alias.id, executed: false, changeRequestId: opened.id, number: opened.number, ...why },
    audit: opened.audit,
  };
};

const requirePerson = (kind: string): void => {
  if (kind === 'user') return;
  throw new AppError('FORBIDDEN', 'A person rolls back and answers for it; service accounts never do', {
    rule: 'service-account',
  });
};

export const rollbackAlias = defineCommand({
  name: 'alias.rollback',
  describe:
    'Moves a protected alias back to a version that was approved for it in this use before. At once while everything ' +
    'that was approved still holds; else it opens a change request.',
  permission: 'alias:rollback',
  input: z.object({
    modelId: z.uuid(),
    alias: aliasName,
    versionId: z
      .uuid()
      .nullish()
      .describe('Left out: the version that was approved last before the present one.'),
    reason: z.string().trim().min(1).max(3500).describe('Why, for everyone who reads the trail.'),
  }),
  target,
  handle: async (context) => {
    const { tx, actor, now, target: standing } = context;
    const { alias, earlier } = standing;
    requirePerson(actor.kind);
    await requireProtected(tx, alias.name);
    if (!earlier) {
      const sentence = `No other version was ever approved for ${alias.name} in this use: ask with requestPromotion`;
      throw precondition('never-approved', sentence, { next: 'requestPromotion' });
    }
    await versionOr404(tx, earlier.versionId ?? '');
    await requireNotTakenBack(tx, earlier);
    const situation = await situationOf(tx, earlier, now);
    const decisions = await decisionsOn(tx, earlier.id);
    const differences = brokenEntries(earlier, situation);
    const blockers = [...blockersOf(situation, decisions), ...involved(situation, decisions)];
    const holds = differences.length === 0 && blockers.length === 0 && isReady(situation, decisions);
    return holds ? goBack(context, earlier) : askAgain(context, earlier, { differences, blockers });
  },
});
