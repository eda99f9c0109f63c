import { z } from 'zod';
import type { Tx } from '../../../kernel/db.js';
import { defineCommand } from '../../../kernel/command.js';
import { AppError, conflict, notFound } from '../../../kernel/errors.js';
import { newId } from '../../../kernel/id.js';
import {
  addVersion,
  closeVersion,
  foldName,
  lockModel,
  ModelTag,
  type RegisteredModel,
} from '../../registry/index.js';
import { hexOf } from '../../tracking/index.js';
import { parseSource, type Source } from '../source.js';
import { copyFiles, type Taken } from './copy-files.js';
import { originOf } from './origin.js';

const maxTags = 200;

const findModel = async (tx: Tx, name: string): Promise<RegisteredModel> => {
  const [row] = await tx.sql<{ id: string; name: string }>(
    'select id, name from registered_model where folded = $1 and deleted_at is null',
    [foldName(name)],
  );
  if (row?.name === name) return lockModel(tx, row.id);
  const alike = row ? `. There is one whose name reads the same: ${row.name}` : '';
  throw new AppError('NOT_FOUND', `Registered Model with name=${name.slice(0, 200)} not found${alike}`);
};

/** The version that files are copied from, which is a parent of the new one. */
const parentOf = async (tx: Tx, source: Source): Promise<{ id: string; state: string; message: string } | null> => {
  if (source.kind !== 'version' && source.kind !== 'versionId') return null;
  const by = source.kind === 'version' ? 'm.folded = $1 and m.name = $2 and v.version = $3' : 'v.id::text = $1';
  const values = source.kind === 'version' ? [foldName(source.name), source.name, source.version] : [source.id];
  const [row] = await tx.sql<{ id: string; state: string; message: string }>(
    `select v.id, v.state, v.state_message as message from model_version v join registered_model m on m.id = v.model_id
      where ${by} and v.deleted_at is null and m.deleted_at is null`,
    values,
  );
  if (!row) throw notFound('The version that this one would be a copy of');
  if (row.state !== 'REJECTED') return row;
  throw conflict(`The version was refused by intake and cannot be copied: ${row.message}`, { rule: 'version-ready' });
};

const writeTags = async (
  tx: Tx,
  at: { workspaceId: string; modelId: string; versionId: string; setBy: string; setAt: Date },
  tags: Readonly<Record<string, string>>,
): Promise<void> => {
  const rows = Object.entries(tags).map(([key, value]) => ({ id: newId(), ...at, key, value }));
  if (rows.length > 0) await tx.insert(ModelTag, rows);
};

const takenOf = (source: Source, parentId: string | null): Taken => {
  if (parentId !== null) return { kind: 'version', id: parentId, folder: '' };
  return source.kind === 'loggedModel' || source.kind === 'run' ? source : { kind: 'nothing' };
};

export const registerVersion = defineCommand({
  name: 'modelVersion.register',
  describe:
    'Makes a version of what a training script logged, or a copy of another version, and has its files checked.',
  permission: 'modelVersion:create',
  input: z.object({
    name: z.string().min(1).max(1000),
    source: z.string().min(1).max(2000),
    runId: z.uuid().nullish(),
    loggedModelId: z.uuid().nullish(),
    runLink: z.string().max(500).default(''),
    description: z.string().max(10_000).default(''),
    tags: z
      .record(z.string().min(1).max(250), z.string().max(100_000))
      .refine((all) => Object.keys(all).length <= maxTags, `must be ${String(maxTags)} at most`)
      .default({}),
  }),
  target: (tx, input) => findModel(tx, input.name),
  handle: async ({ tx, actor, input, target: model, now, enqueue }) => {
    const source = parseSource(input.source);
    const parent = await parentOf(tx, source);
    const logged = source.kind === 'loggedModel' ? source.id : (input.loggedModelId ?? null);
    const run = source.kind === 'run' ? source.id : (input.runId ?? null);
    const origin = await originOf(tx, { loggedModelId: logged, runId: run });
    const { id, version, audit } = await addVersion(
      tx,
      model,
      {
        description: input.description,
        metrics: origin.metrics,
        params: origin.params,
        lineage: {
          run: origin.runId === null ? null : hexOf(origin.runId),
          codeCommit: origin.codeCommit,
          datasets: [],
          parentVersionId: parent?.id ?? null,
        },
        source: input.source,
        runId: origin.runId,
        runLink: input.runLink,
        loggedModelId: origin.loggedModelId,
      },
      { actorId: actor.id, now },
    );
    await copyFiles(tx, takenOf(source, parent?.id ?? null), { id, workspaceId: model.workspaceId }, now);
    const place = { workspaceId: model.workspaceId, modelId: model.id, versionId: id };
    await writeTags(tx, { ...place, setBy: actor.id, setAt: now }, input.tags);
    const closed = await closeVersion(tx, { model, version: { id, state: 'PENDING_INTAKE' } }, { now, enqueue });
    return { result: { id, version }, audit: [audit, closed.audit] };
  },
});
