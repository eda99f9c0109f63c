import { z } from 'zod';
import type { AuditEntry } from '../../../kernel/audit.js';
import { defineCommand, nothingChanged } from '../../../kernel/command.js';
import type { Tx } from '../../../kernel/db.js';
import { AppError, conflict, notFound } from '../../../kernel/errors.js';
import { newId } from '../../../kernel/id.js';
import { runAtCommit, runNow } from '../../../kernel/statement.js';
import { useCaseOr404 } from '../../usecases/index.js';
import { ModelAlias } from '../model-alias.entity.js';
import { aliasName, foldName } from '../names.js';
import { requireUnprotected } from '../protection.js';
import type { RegisteredModel } from '../registered-model.entity.js';
import { enterStage } from './stages.js';
import { lockModel, versionOr404 } from './find.js';

/** Where an alias shall point, and by whose doing. */
export interface AliasMove {
  readonly modelId: string;
  readonly alias: string;
  readonly versionId: string;
  readonly useCaseId: string | null;
  readonly changeRequestId: string | null;
  readonly actorId: string;
  readonly now: Date;
}

/** What a move did, with the entry for the trail that the calling command must return. */
export interface MovedAlias {
  readonly aliasId: string;
  readonly fromVersionId: string | null;
  readonly audit: AuditEntry;
}

const aliasText = `
  select id, workspace_id as "workspaceId", model_id as "modelId", name, folded, version_id as "versionId",
         use_case_id as "useCaseId", moved_at as "movedAt", moved_by as "movedBy", change_request_id as "changeRequestId"
    from model_alias where model_id = $1 and folded = $2 for update`;

/** The alias that reads as this name, locked until the transaction ends. */
const aliasReading = async (tx: Tx, modelId: string, name: string): Promise<ModelAlias | null> => {
  const [found] = await tx.sql<ModelAlias>(aliasText, [modelId, foldName(name)], 'registry.alias');
  return found ?? null;
};

/** The alias of this name; refuses one that reads the same and is written otherwise. */
const findAlias = async (tx: Tx, modelId: string, name: string): Promise<ModelAlias | null> => {
  const found = await aliasReading(tx, modelId, name);
  if (!found || found.name === name) return found;
  throw conflict(`The model has an alias that reads the same: ${found.name}`, {
    rule: 'name-taken',
    alias: found.name,
  });
};

const maxAliases = 100;

const requireRoom = async (tx: Tx, modelId: string): Promise<void> => {
  const [row] = await tx.sql<{ count: number }>('select count(*)::int from model_alias where model_id = $1', [
    modelId,
  ]);
  if ((row?.count ?? 0) < maxAliases) return;
  throw conflict(`The model has ${String(maxAliases)} aliases, more are not accepted`, {
    rule: 'alias-count',
  });
};

const requireReady = async (tx: Tx, model: RegisteredModel, versionId: string): Promise<void> => {
  const version = await versionOr404(tx, versionId);
  if (version.modelId !== model.id) throw notFound(`A version of ${model.name} with this id`);
  if (version.state === 'READY') return;
  throw new AppError(
    'PRECONDITION_FAILED',
    `Version ${String(version.version)} is ${version.state}: an alias points only to a version that passed intake`,
    { rule: 'version-ready', state: version.state, message: version.stateMessage },
  );
};

/** What the trail says of a move. */
const entryOf = (
  { modelId, alias, versionId, useCaseId, changeRequestId }: AliasMove,
  existing: ModelAlias | null,
  { id, staged }: { readonly id: string; readonly staged: object },
): AuditEntry => ({
  subject: { kind: 'alias', id },
  changes: {
    versionId: { from: existing?.versionId ?? null, to: versionId },
    useCaseId: { from: existing?.useCaseId ?? null, to: useCaseId },
  },
  facts: { modelId, alias: existing?.name ?? alias, changeRequestId, ...staged },
});

/** What was approved, or stood by an approval, has an attestation, which looks at it within the transaction. */
const isByRequest = (place: Pick<ModelAlias, 'changeRequestId'> | null): boolean =>
  place !== null && place.changeRequestId !== null;

/**
 * Lets an alias point to a version, protected or not, in the transaction of the calling command. The approvals call
 * it when an approved change executes; `alias.set` calls it after it has refused what is protected.
 */
export const moveAlias = async (tx: Tx, move: AliasMove): Promise<MovedAlias> => {
  const model = await lockModel(tx, move.modelId);
  // However it was spelled when it was asked for: the alias that stands there is meant.
  return moveFrom(tx, model, await aliasReading(tx, model.id, move.alias), move);
};

/**
 * Where nobody looks at it within the transaction it goes out with the commit; the lock on the model keeps others
 * away. What follows from an approved move (its attestation) looks.
 */
const writePointer = async (
  tx: Tx,
  model: RegisteredModel,
  { id, isLookedAt }: { readonly id: string; readonly isLookedAt: boolean },
  move: AliasMove,
): Promise<void> => {
  const { alias, versionId, useCaseId, now, actorId, changeRequestId } = move;
  const statement = {
    text: `insert into model_alias (id, workspace_id, model_id, name, folded, version_id, use_case_id, moved_at, moved_by, change_request_id)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
     on conflict (model_id, folded) do update set version_id = excluded.version_id, use_case_id = excluded.use_case_id,
       moved_at = excluded.moved_at, moved_by = excluded.moved_by, change_request_id = excluded.change_request_id`,
    values: [
      id,
      model.workspaceId,
      model.id,
      alias,
      foldName(alias),
      versionId,
      useCaseId,
      now,
      actorId,
      changeRequestId,
    ],
    name: 'registry.moveAlias',
  };
  if (isLookedAt) await runNow(tx, [statement]);
  else runAtCommit(tx, [statement]);
};

const moveFrom = async (
  tx: Tx,
  model: RegisteredModel,
  existing: ModelAlias | null,
  move: AliasMove,
): Promise<MovedAlias> => {
  await requireReady(tx, model, move.versionId);
  if (move.useCaseId !== null) await useCaseOr404(tx, move.useCaseId);
  if (!existing) await requireRoom(tx, model.id);
  const id = existing?.id ?? newId();
  await writePointer(tx, model, { id, isLookedAt: isByRequest(move) || isByRequest(existing) }, move);
  // A stage is a name too: what was approved for it stands there alone.
  const staged = isByRequest(move) ? await enterStage(tx, move) : {};
  const audit = entryOf(move, existing, { id, staged });
  return { aliasId: id, fromVersionId: existing?.versionId ?? null, audit };
};

export const setAlias = defineCommand({
  name: 'alias.set',
  describe: 'Lets an alias point to a version. A protected alias moves only through requestPromotion.',
  permission: 'alias:set',
  input: z.object({ modelId: z.uuid(), name: aliasName, versionId: z.uuid(), useCaseId: z.uuid().nullish() }),
  target: (tx, input) => lockModel(tx, input.modelId),
  handle: async ({ tx, actor, input, target, now }) => {
    const { name: alias, versionId } = input;
    const useCaseId = input.useCaseId ?? null;
    await requireUnprotected(tx, target.id, [alias], {
      now,
      what: 'moving it',
      instead: 'Ask with requestPromotion.',
      move: { versionId, useCaseId },
    });
    const existing = await findAlias(tx, target.id, alias);
    if (existing?.versionId === versionId && existing.useCaseId === useCaseId) {
      return { result: { id: existing.id }, audit: nothingChanged };
    }
    const move = {
      modelId: target.id,
      alias,
      versionId,
      useCaseId,
      changeRequestId: null,
      actorId: actor.id,
      now,
    };
    const moved = await moveFrom(tx, target, existing, move);
    return { result: { id: moved.aliasId }, audit: moved.audit };
  },
});

export const deleteAlias = defineCommand({
  name: 'alias.delete',
  describe: 'Takes an alias away from a model. A protected alias stays.',
  permission: 'alias:set',
  input: z.object({ modelId: z.uuid(), name: aliasName }),
  target: (tx, input) => lockModel(tx, input.modelId),
  handle: async ({ tx, input, target, now }) => {
    await requireUnprotected(tx, target.id, [input.name], {
      now,
      what: 'deleting it',
      instead:
        'It is never taken away: let it name another version with requestPromotion, or stop what serves it with suspendEndpoint.',
    });
    const existing = await findAlias(tx, target.id, input.name);
    if (!existing) throw notFound(`The alias ${input.name}`);
    await tx.remove(ModelAlias, { id: existing.id });
    return {
      result: { id: existing.id },
      audit: {
        subject: { kind: 'alias', id: existing.id },
        changes: { versionId: { from: existing.versionId, to: null } },
        facts: { modelId: target.id, alias: existing.name },
      },
    };
  },
});
