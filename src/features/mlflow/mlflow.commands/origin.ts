import type { ReadDb } from '../../../kernel/db.js';
import { conflict, notFound } from '../../../kernel/errors.js';
import { hexOf, loggedModelId as shownModel } from '../../tracking/index.js';

/** What is known of where a version comes from. */
export interface Origin {
  readonly runId: string | null;
  readonly loggedModelId: string | null;
  readonly codeCommit: string | null;
  readonly metrics: Readonly<Record<string, number>>;
  readonly params: Readonly<Record<string, string>>;
}

const mostEntries = 500;

const firstOf = <Value>(all: Readonly<Record<string, Value>>): Record<string, Value> =>
  Object.fromEntries(Object.entries(all).slice(0, mostEntries));

interface Told {
  readonly params: Readonly<Record<string, string>>;
  readonly metrics: Readonly<Record<string, number>>;
  readonly commit: string | null;
}

const ofRun = `
  select (select coalesce(jsonb_object_agg(key, value), '{}') from run_param where run_id = r.id) as params,
         (select coalesce(jsonb_object_agg(key, value), '{}') from run_metric_latest
           where run_id = r.id and value not in ('NaN', 'Infinity', '-Infinity')) as metrics,
         (select left(value, 200) from run_tag where run_id = r.id and key = 'mlflow.source.git.commit') as commit
    from training_run r where r.id = $1`;

const ofModel = `
  select l.source_run_id as "runId", l.state, l.params,
         (select coalesce(jsonb_object_agg(key, value), '{}') from (
            select distinct on (key) key, value from logged_model_metric
             where model_id = l.id and value not in ('NaN', 'Infinity', '-Infinity')
             order by key, step desc, at_ms desc) newest) as metrics
    from logged_model l where l.id = $1 and l.deleted_at is null`;

type Logged = Told & { readonly runId: string | null; readonly state: string };

const loggedModelOf = async (db: ReadDb, id: string | null): Promise<Logged | null> => {
  if (id === null) return null;
  const [model] = await db.sql<Logged>(ofModel, [id], 'mlflow.originOfModel');
  if (!model) throw notFound(`Logged model with id=${shownModel(id)}`);
  if (model.state === 'READY') return model;
  throw conflict('The logged model is not READY: its files may still change', { rule: 'version-ready' });
};

const runOf = async (db: ReadDb, id: string | null): Promise<Told | null> => {
  if (id === null) return null;
  const [run] = await db.sql<Told>(ofRun, [id], 'mlflow.originOfRun');
  if (!run) throw notFound(`Run with id=${hexOf(id)}`);
  return run;
};

const nothing = { metrics: {}, params: {}, commit: null, runId: null };

/** Reads run and logged model; what the model says of itself comes before what its run said. */
export const originOf = async (
  db: ReadDb,
  asked: { readonly loggedModelId: string | null; readonly runId: string | null },
): Promise<Origin> => {
  const model = (await loggedModelOf(db, asked.loggedModelId)) ?? nothing;
  const runId = asked.runId ?? model.runId;
  const run = (await runOf(db, runId)) ?? nothing;
  return {
    runId,
    loggedModelId: asked.loggedModelId,
    codeCommit: run.commit === '' ? null : run.commit,
    metrics: firstOf({ ...run.metrics, ...model.metrics }),
    params: firstOf({ ...run.params, ...model.params }),
  };
};
