import type { ReadDb } from '../../../kernel/db.js';
import { conflict, notFound } from '../../../kernel/errors.js';
import type { LineageDataset } from '../../registry/index.js';
import { hexOf, loggedModelId as shownModel } from '../../tracking/index.js';

/** What is known of where a version comes from. */
export interface Origin {
  readonly runId: string | null;
  readonly loggedModelId: string | null;
  readonly codeCommit: string | null;
  readonly metrics: Readonly<Record<string, number>>;
  readonly params: Readonly<Record<string, string>>;
  /** The data that the run names with the digest of its content. */
  readonly datasets: readonly LineageDataset[];
}

const mostEntries = 500;

const firstOf = <Value>(all: Readonly<Record<string, Value>>): Record<string, Value> =>
  Object.fromEntries(Object.entries(all).slice(0, mostEntries));

interface Told {
  readonly params: Readonly<Record<string, string>>;
  readonly metrics: Readonly<Record<string, number>>;
  readonly commit: string | null;
  readonly datasets: readonly LineageDataset[];
}

/**
 * MLflow's own digests are of eight digits, of a part of the data, and name no content; the tag of an input does
 * (`log_input(…, tags={"countersign.sha256": …})`).
 */
const ofData = `
  select coalesce(json_agg(json_build_object('name', left(name, 200), 'sha256', sha256, 'role', left(role, 50))
                           order by name, role), '[]')
    from (select name,
                 jsonb_path_query_first(tags, '$[*] ? (@.key == "countersign.sha256").value') #>> '{}' as sha256,
                 coalesce(jsonb_path_query_first(tags, '$[*] ? (@.key == "mlflow.data.context").value') #>> '{}',
                          'training') as role
            from run_dataset where run_id = r.id) named
   where sha256 ~ '^[0-9a-f]{64}$'`;

const ofRun = `
  select (select coalesce(jsonb_object_agg(key, value), '{}') from run_param where run_id = r.id) as params,
         (select coalesce(jsonb_object_agg(key, value), '{}') from run_metric_latest
           where run_id = r.id and value not in ('NaN', 'Infinity', '-Infinity')) as metrics,
         (select left(value, 200) from run_tag where run_id = r.id and key = 'mlflow.source.git.commit') as commit,
         (${ofData}) as datasets
    from training_run r where r.id = $1`;

const ofModel = `
  select l.source_run_id as "runId", l.state, l.params,
         (select coalesce(jsonb_object_agg(key, value), '{}') from (
            select distinct on (key) key, value from logged_model_metric
             where model_id = l.id and value not in ('NaN', 'Infinity', '-Infinity')
             order by key, step desc, at_ms desc) newest) as metrics
    from logged_model l where l.id = $1 and l.deleted_at is null`;

type Logged = Omit<Told, 'datasets'> & { readonly runId: string | null; readonly state: string };

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

const nothing = { metrics: {}, params: {}, commit: null, runId: null, datasets: [] };

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
    datasets: run.datasets,
  };
};
