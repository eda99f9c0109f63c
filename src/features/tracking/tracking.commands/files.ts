import { z } from 'zod';
import { defineCommand, nothingChanged } from '../../../kernel/command.js';
import type { Tx } from '../../../kernel/db.js';
import { conflict, notFound } from '../../../kernel/errors.js';
import { newId } from '../../../kernel/id.js';
import { TrackedFile } from '../tracked-file.entity.js';
import { filePlace, type FileOwner } from '../file-place.js';
import { lockLoggedModel } from './logged-models.js';

const maxFiles = 10_000;

interface Owner {
  readonly id: string;
  readonly workspaceId: string;
}

const lockRun = async (tx: Tx, id: string): Promise<Owner> => {
  // Files of one run come many at a time; they need not wait for each other.
  const [run] = await tx.sql<Owner & { deleted: boolean }>(
    'select id, workspace_id as "workspaceId", deleted_at is not null as deleted from training_run where id = $1',
    [id],
  );
  if (!run) throw notFound('The run');
  if (run.deleted) throw conflict('The run is deleted; restore it first', { rule: 'deleted' });
  return run;
};

const lockOpenModel = async (tx: Tx, id: string): Promise<Owner> => {
  const model = await lockLoggedModel(tx, id);
  if (model.state === 'PENDING') return model;
  throw conflict('The logged model is closed: its files can no longer be added, changed or deleted', {
    rule: 'artifacts-closed',
    state: model.state,
  });
};

const lockOwner = ({ kind, id }: FileOwner, tx: Tx): Promise<Owner> =>
  kind === 'run' ? lockRun(tx, id) : lockOpenModel(tx, id);

const columnsOf = ({ kind, id }: FileOwner) =>
  kind === 'run' ? { runId: id, modelId: null } : { runId: null, modelId: id };

/** A path is a file or a folder, never both: a client that downloads the tree could not make it. */
const requireRoom = async (tx: Tx, owner: FileOwner, path: string): Promise<void> => {
  const column = owner.kind === 'run' ? 'run_id' : 'model_id';
  const parts = path.split('/');
  const folders = parts.slice(1).map((_, index) => parts.slice(0, index + 1).join('/'));
  const [row] = await tx.sql<{ count: number; clash: string | null }>(
    `select count(*)::int as count,
            min(path) filter (where path = any($2) or starts_with(path, $3)) as clash
       from tracked_file where ${column} = $1`,
    [owner.id, folders, `${path}/`],
  );
  if (row?.clash)
    throw conflict(`There is ${row.clash} already: a path is a file or a folder`, { rule: 'path-taken' });
  if ((row?.count ?? 0) >= maxFiles) {
    throw conflict(`There are ${String(maxFiles)} files already, more are not accepted`, {
      rule: 'artifact-count',
    });
  }
};

/** Writes down what was stored; run by the upload route only, which knows that the content is there. */
export const putTrackedFile = defineCommand({
  name: 'trackedFile.put',
  describe: 'Puts a stored file to a run or to a logged model that is still open.',
  permission: 'artifact:upload',
  input: z.object({
    ...filePlace,
    sha256: z.string().regex(/^[0-9a-f]{64}$/),
    bytes: z.int().min(0),
    mediaType: z.string().min(1).max(200),
  }),
  target: (tx, input) => lockOwner(input.owner, tx),
  handle: async ({ tx, actor, input, target, now }) => {
    const { owner, path, sha256, bytes, mediaType } = input;
    const where = owner.kind === 'run' ? { runId: owner.id, path } : { modelId: owner.id, path };
    const same = await tx.lock(TrackedFile, where);
    if (same?.sha256 === sha256) return { result: { id: same.id }, audit: nothingChanged };
    const id = same?.id ?? newId();
    const content = { sha256, bytes, mediaType, createdBy: actor.id, createdAt: now };
    if (same) await tx.update(TrackedFile, { id }, content);
    else {
      await requireRoom(tx, owner, path);
      await tx.insert(TrackedFile, {
        id,
        workspaceId: target.workspaceId,
        path,
        ...columnsOf(owner),
        ...content,
      });
    }
    return {
      result: { id },
      audit: {
        subject: { kind: 'trackedFile', id },
        changes: { sha256: { from: same?.sha256 ?? null, to: sha256 } },
        facts: { owner, path, bytes, mediaType },
      },
    };
  },
});

export const removeTrackedFiles = defineCommand({
  name: 'trackedFile.remove',
  describe:
    'Takes a file, or a folder with all files in it, away from a run or from a logged model that is still open.',
  permission: 'artifact:upload',
  input: z.object(filePlace),
  target: (tx, input) => lockOwner(input.owner, tx),
  handle: async ({ tx, input: { owner, path } }) => {
    const column = owner.kind === 'run' ? 'run_id' : 'model_id';
    const gone = await tx.sql<{ id: string; path: string; sha256: string }>(
      `delete from tracked_file where ${column} = $1 and (path = $2 or starts_with(path, $3))
       returning id, path, sha256`,
      [owner.id, path, `${path}/`],
    );
    const [first, ...others] = gone.map(({ id, path: of, sha256 }) => ({
      subject: { kind: 'trackedFile', id },
      changes: { sha256: { from: sha256, to: null } },
      facts: { owner, path: of },
    }));
    return { result: { removed: gone.length }, audit: first ? [first, ...others] : nothingChanged };
  },
});
