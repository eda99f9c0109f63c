import { hexOf, loggedModelId } from '../../tracking/index.js';
import type { KeyValue } from './version-view.js';
import { msOf } from './version-view.js';

interface Measurement {
  readonly key: string;
  readonly value: number | string;
  readonly timestamp: number;
  readonly step: number;
}

interface DatasetInput {
  readonly name: string;
  readonly digest: string;
  readonly source_type: string;
  readonly source: string;
  readonly schema: string | null;
  readonly profile: string | null;
  readonly tags: readonly KeyValue[];
}

/** A run as it is read for the protocol. */
export interface RunRow {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  readonly experiment: number;
  readonly claimedUser: string;
  readonly startedMs: number;
  readonly endedMs: number | null;
  readonly deleted: boolean;
  readonly params: readonly KeyValue[];
  readonly tags: readonly KeyValue[];
  readonly metrics: readonly Measurement[];
  readonly datasets: readonly DatasetInput[];
  readonly models: readonly { readonly id: string; readonly direction: string; readonly step: number }[];
}

/** Whether a run is deleted, over `training_run r` and `experiment e`. */
export const runDeleted = 'r.deleted_at is not null or e.deleted_at is not null';

/** A number of JSON where it is one, else the word that clients read: NaN, Infinity. */
export const jsonNumber = (sql: string): string =>
  `case when ${sql} in ('NaN', 'Infinity', '-Infinity') then to_json(${sql}::text) else to_json(${sql}) end`;

/** The columns of {@link RunRow}. */
export const runColumns = `
  r.id, r.name, r.state, e.number as experiment, r.claimed_user as "claimedUser", ${msOf('r.started_at')} as "startedMs",
  ${msOf('r.ended_at')} as "endedMs", ${runDeleted} as deleted,
  (select coalesce(json_agg(json_build_object('key', key, 'value', value) order by key), '[]')
     from run_param where run_id = r.id) as params,
  (select coalesce(json_agg(json_build_object('key', key, 'value', value) order by key), '[]')
     from run_tag where run_id = r.id and value is not null) as tags,
  (select coalesce(json_agg(json_build_object('key', key, 'value', ${jsonNumber('value')}, 'timestamp', at_ms, 'step', step)
                            order by key), '[]')
     from run_metric_latest where run_id = r.id) as metrics,
  (select coalesce(json_agg(json_build_object('name', name, 'digest', digest, 'source_type', source_type, 'source', source,
                                              'schema', schema, 'profile', profile, 'tags', tags) order by name, digest), '[]')
     from run_dataset where run_id = r.id) as datasets,
  (select coalesce(json_agg(json_build_object('id', model_id, 'direction', direction, 'step', step)
                            order by direction, step, model_id), '[]')
     from run_model where run_id = r.id) as models`;

/** Where {@link runColumns} are read from. */
export const runsFrom = 'training_run r join experiment e on e.id = r.experiment_id';

/** What a run is, without what it told. */
export const runInfo = (row: RunRow): Record<string, unknown> => {
  const id = hexOf(row.id);
  return {
    run_id: id,
    run_uuid: id,
    run_name: row.name,
    experiment_id: String(row.experiment),
    user_id: row.claimedUser,
    status: row.state,
    start_time: row.startedMs,
    ...(row.endedMs === null ? {} : { end_time: row.endedMs }),
    artifact_uri: `mlflow-artifacts:/${String(row.experiment)}/${id}/artifacts`,
    lifecycle_stage: row.deleted ? 'deleted' : 'active',
  };
};

/** Fields that are there, as clients expect those that are not to be left out. */
export const present = (fields: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null && value !== undefined));

const datasetView = ({ tags, ...dataset }: DatasetInput): Record<string, unknown> => ({
  dataset: present(dataset),
  tags,
});

const modelsOf = (row: RunRow, direction: string) =>
  row.models
    .filter((model) => model.direction === direction)
    .map(({ id, step }) =>
      direction === 'IN' ? { model_id: loggedModelId(id) } : { model_id: loggedModelId(id), step },
    );

/** A run as clients know it. */
export const runView = (row: RunRow): Record<string, unknown> => ({
  info: runInfo(row),
  data: { metrics: row.metrics, params: row.params, tags: row.tags },
  inputs: { dataset_inputs: row.datasets.map(datasetView), model_inputs: modelsOf(row, 'IN') },
  outputs: { model_outputs: modelsOf(row, 'OUT') },
});
