import { z } from 'zod';
import { defineCommand, nothingChanged, type CommandOutcome } from '../../../kernel/command.js';
import { aliasName, foldName, holdPolicy, isProtected, lockModel, moveAlias } from '../../registry/index.js';

/** What became of an alias of another server. */
export type TakenAlias = 'MOVED' | 'SAME' | 'PROTECTED' | 'WAITING' | 'REFUSED';

export const takeAlias = defineCommand({
  name: 'upstream.takeAlias',
  describe:
    'Lets an alias point where it points in another MLflow server. A protected one stays: it needs a change request.',
  permission: 'upstream:take',
  input: z.object({ modelId: z.uuid(), name: aliasName, versionId: z.uuid() }),
  target: (tx, input) => lockModel(tx, input.modelId),
  handle: async ({
    tx,
    actor,
    input,
    target: model,
    now,
  }): Promise<CommandOutcome<{ taken: TakenAlias }>> => {
    const { name: alias, versionId } = input;
    const leave = (taken: TakenAlias): CommandOutcome<{ taken: TakenAlias }> => ({
      result: { taken },
      audit: nothingChanged,
    });
    const [standing] = await tx.sql<{ state: string; there: boolean }>(
      `select v.state, exists (select from model_alias a where a.model_id = $1 and a.folded = $3 and a.version_id = v.id) as there
         from model_version v where v.id = $2 and v.model_id = $1 and v.deleted_at is null`,
      [model.id, versionId, foldName(alias)],
    );
    if (!standing) return leave('REFUSED');
    if (standing.there) return leave('SAME');
    // Held until the commit, so that nobody protects it meanwhile.
    await holdPolicy(tx);
    if (await isProtected(tx, alias)) return leave('PROTECTED');
    if (standing.state !== 'READY') return leave(standing.state === 'REJECTED' ? 'REFUSED' : 'WAITING');
    const move = { modelId: model.id, alias, versionId, useCaseId: null, changeRequestId: null };
    const moved = await moveAlias(tx, { ...move, actorId: actor.id, now });
    return { result: { taken: 'MOVED' }, audit: moved.audit };
  },
});
