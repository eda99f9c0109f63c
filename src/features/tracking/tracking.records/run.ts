import type { RecordContext } from '../../../kernel/record.js';
import { conflict, notFound } from '../../../kernel/errors.js';
import { hexOf } from '../ids.js';

/** What is known of a run before something is told of it. */
export interface KnownRun {
  readonly id: string;
  readonly workspaceId: string;
  readonly name: string;
  readonly state: string;
  readonly deleted: boolean;
}

const query = `
  select r.id, r.workspace_id as "workspaceId", r.name, r.state,
         r.deleted_at is not null or e.deleted_at is not null as deleted
    from training_run r join experiment e on e.id = r.experiment_id where r.id = any($1)`;

/** The runs, in no order; NOT_FOUND when one is not in this workspace. */
export const knownRuns = async (
  { tx }: Pick<RecordContext, 'tx'>,
  ids: readonly string[],
): Promise<ReadonlyMap<string, KnownRun>> => {
  const rows = await tx.sql<KnownRun>(query, [ids], 'tracking.runs');
  const found = new Map(rows.map((row) => [row.id, row]));
  const missing = ids.find((id) => !found.has(id));
  if (missing !== undefined) throw notFound(`Run with id=${hexOf(missing)}`);
  return found;
};

/** Refuses to add to a run that is deleted. */
export const requireActive = ({ id, deleted }: KnownRun): void => {
  if (!deleted) return;
  throw conflict(`The run ${hexOf(id)} must be in the 'active' state. Current state is deleted.`, {
    rule: 'deleted',
  });
};

/** The one run, which must not be deleted. */
export const activeRun = async (context: Pick<RecordContext, 'tx'>, id: string): Promise<KnownRun> => {
  const run = (await knownRuns(context, [id])).get(id);
  if (!run) throw notFound(`Run with id=${hexOf(id)}`);
  requireActive(run);
  return run;
};
