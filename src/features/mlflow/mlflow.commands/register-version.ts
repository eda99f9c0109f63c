import { z } from 'zod';
import type { Tx } from '../../../kernel/db.js';
import { defineCommand } from '../../../kernel/command.js';
import { conflict, notFound } from '../../../kernel/errors.js';
import { newId } from '../../../kernel/id.js';
import {
  addClosedVersion,
  foldName,
  lockModelNamed,
  type ClosedVersion,
  type RegisteredModel,
} from '../../registry/index.js';
import { hexOf } from '../../tracking/index.js';
import { modelNotFound } from '../mlflow.queries/models.js';
import type { VersionRow } from '../mlflow.queries/version-view.js';
import { parseSource, type Source } from '../source.js';
import { filesOf, type Taken } from './files-of.js';
import { originOf } from './origin.js';

const maxTags = 200;

const findModel = async (tx: Tx, name: string): Promise<RegisteredModel> => {
  const found = await lockModelNamed(tx, name);
  if (found?.name === name) return found;
  throw modelNotFound(name, found?.name);
};

/** The version that files are copied from, which is a parent of the new one. */
const parentOf = async (
  tx: Tx,
  source: Source,
): Promise<{ id: string; state: string; message: string } | null> => {
  if (source.kind !== 'version' && source.kind !== 'versionId') return null;
  const by =
    source.kind === 'version' ? 'm.folded = $1 and m.name = $2 and v.version = $3' : 'v.id::text = $1';
  const values =
    source.kind === 'version' ? [foldName(source.name), source.name, source.version] : [source.id];
  const [row] = await tx.sql<{ id: string; state: string; message: string }>(
    `select v.id, v.state, v.state_message as message from model_version v join registered_model m on m.id = v.model_id
      where ${by} and v.deleted_at is null and m.deleted_at is null`,
    values,
  );
  if (!row) throw notFound('The version that this one would be a copy of');
  if (row.state !== 'REJECTED') return row;
  throw conflict(`The version was refused by intake and cannot be copied: ${row.message}`, {
    rule: 'version-ready',
  });
};

const writeTags = (
  tx: Tx,
  at: { workspaceId: string; modelId: string; versionId: string; setBy: string; setAt: Date },
  tags: readonly (readonly [string, string])[],
): void => {
  if (tags.length === 0) return;
  tx.atCommit(
    `insert into model_tag (id, workspace_id, model_id, version_id, key, value, set_by, set_at)
     select id, $1, $2, $3, key, value, $4, $5 from unnest($6::uuid[], $7::text[], $8::text[]) as tag (id, key, value)`,
    [
      ...[at.workspaceId, at.modelId, at.versionId, at.setBy, at.setAt],
      tags.map(() => newId()),
      tags.map(([key]) => key),
      tags.map(([, value]) => value),
    ],
  );
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
    const [origin, files] = await Promise.all([
      originOf(tx, { loggedModelId: logged, runId: run }),
      filesOf(tx, takenOf(source, parent?.id ?? null)),
    ]);
    const { runId, loggedModelId, codeCommit, metrics, params } = origin;
    const { description, runLink } = input;
    const lineage = {
      run: runId === null ? null : hexOf(runId),
      codeCommit,
      datasets: [...origin.datasets],
      parentVersionId: parent?.id ?? null,
    };
    const given = {
      description,
      metrics,
      params,
      lineage,
      source: input.source,
      runId,
      runLink,
      loggedModelId,
    };
    const closed = await addClosedVersion({ tx, actor, now, enqueue }, model, given, files);
    const tags = Object.entries(input.tags);
    const place = { workspaceId: model.workspaceId, modelId: model.id, versionId: closed.id };
    writeTags(tx, { ...place, setBy: actor.id, setAt: now }, tags);
    return {
      result: rowOf(model, { ...given, ...closed }, { actorId: actor.id, now, tags }),
      audit: closed.audit,
    };
  },
});

/** The version as it is read from now on. */
const rowOf = (
  model: RegisteredModel,
  made: ClosedVersion & Pick<VersionRow, 'description' | 'source' | 'runId' | 'runLink' | 'loggedModelId'>,
  { actorId, now, tags }: { actorId: string; now: Date; tags: readonly (readonly [string, string])[] },
): VersionRow => ({
  id: made.id,
  modelId: model.id,
  name: model.name,
  version: made.version,
  createdMs: now.getTime(),
  updatedMs: now.getTime(),
  createdBy: actorId,
  stage: 'None',
  description: made.description,
  source: made.source,
  state: made.state,
  stateMessage: made.stateMessage,
  runId: made.runId,
  runLink: made.runLink,
  loggedModelId: made.loggedModelId,
  hasFiles: made.intake !== null || made.state === 'PENDING_INTAKE',
  aliases: [],
  tags: tags.map(([key, value]) => ({ key, value })),
  changes: [],
});
