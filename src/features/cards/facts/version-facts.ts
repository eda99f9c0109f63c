import { z } from 'zod';
import type { ReadDb } from '../../../kernel/db.js';
import { notFound } from '../../../kernel/errors.js';
import { factOf, filled, type Facts, type Place } from './fact.js';

interface VersionRow {
  readonly name: string;
  readonly kind: string;
  readonly modelDescription: string;
  readonly modelBy: string;
  readonly modelAt: Date;
  readonly version: number;
  readonly description: string;
  readonly digest: string | null;
  readonly submittedAt: Date | null;
  readonly signature: object | null;
  readonly intake: unknown;
  readonly metrics: object;
  readonly params: object;
  readonly run: string | null;
  readonly codeCommit: string | null;
  readonly datasets: readonly { readonly name: string; readonly sha256: string; readonly role: string }[];
  readonly by: string;
  readonly createdAt: Date;
  readonly parent: object | null;
}

const query = `
  select m.name, m.kind, m.description as "modelDescription", m.created_by as "modelBy",
         m.created_at as "modelAt", v.version, v.description, v.digest, v.submitted_at as "submittedAt", v.signature,
         v.intake, v.metrics, v.params, v.lineage ->> 'run' as run, v.lineage ->> 'codeCommit' as "codeCommit",
         v.lineage -> 'datasets' as datasets, v.created_by as by, v.created_at as "createdAt",
         case when p.id is null then null else jsonb_build_object(
           'versionId', p.id, 'model', pm.name, 'version', p.version, 'digest', p.digest) end as parent
    from model_version v
    join registered_model m on m.id = v.model_id
    left join model_version p on p.id::text = v.lineage ->> 'parentVersionId'
    left join registered_model pm on pm.id = p.model_id
   where v.id = $1`;

const file = z.object({
  path: z.string(),
  model: z.object({ producer: z.string(), opsets: z.record(z.string(), z.number()) }).nullish(),
});

/** What intake wrote down, as far as a card reads it; the manifest of the files may say more or less. */
const intake = z.object({
  runtime: z.string().nullish(),
  files: z.array(file).default([]),
  manifest: z
    .object({
      excluded: z.array(z.object({ name: z.string(), reason: z.string() })).nullish(),
      licence: z.string().nullish(),
      family: z.string().nullish(),
      data: z
        .array(
          z.object({
            sha256: z.string(),
            rows: z.number(),
            source: z.string().nullish(),
            licence: z.string().nullish(),
          }),
        )
        .nullish(),
    })
    .nullish(),
});

type Intake = z.output<typeof intake>;

const nothing: Intake = { files: [] };

const readIntake = (stored: unknown): Intake => intake.safeParse(stored ?? {}).data ?? nothing;

const softwareOf = ({ runtime, files }: Intake): object | null => {
  const producers = files.flatMap(({ path, model }) =>
    model ? [{ path, producer: model.producer, opsets: model.opsets }] : [],
  );
  return producers.length === 0 ? null : { runtime: runtime ?? null, files: producers };
};

/** The data sets that were registered, with what the manifest of the files says about the same bytes. */
const datasetsOf = ({ datasets }: VersionRow, { manifest }: Intake): object | null =>
  filled(
    datasets.map((one) => {
      const described = manifest?.data?.find(({ sha256 }) => sha256 === one.sha256);
      const { rows, source, licence } = described ?? {};
      return { ...one, rows: rows ?? null, source: source ?? null, licence: licence ?? null };
    }),
  );

const identity = (row: VersionRow): Facts => {
  const model = { by: row.modelBy, at: row.modelAt };
  const version = { by: row.by, at: row.createdAt };
  return {
    'model.name': factOf(row.name, model),
    'model.kind': factOf(row.kind, model),
    'model.description': factOf(row.modelDescription, model),
    'version.number': factOf(row.version, version),
    'version.description': factOf(row.description, version),
    'version.digest': factOf(row.digest, { by: row.by, at: row.submittedAt }),
    'version.registered': factOf({ by: row.by, at: row.createdAt.toISOString() }, version),
  };
};

const contents = (row: VersionRow): Facts => {
  const version = { by: row.by, at: row.createdAt };
  const found = readIntake(row.intake);
  const { manifest } = found;
  const asHandedIn = { by: row.by, at: row.submittedAt };
  return {
    'version.params': factOf(filled(row.params), version),
    'version.metrics': factOf(filled(row.metrics), version),
    'version.signature': factOf(filled(row.signature), asHandedIn),
    'version.software': factOf(softwareOf(found), asHandedIn),
    'version.licence': factOf(manifest?.licence ? { identifier: manifest.licence } : null, asHandedIn),
    'version.family': factOf(manifest?.family, asHandedIn),
    'version.excludedInputs': factOf(filled(manifest?.excluded), asHandedIn),
    'lineage.run': factOf(row.run, version),
    'lineage.codeCommit': factOf(row.codeCommit, version),
    'lineage.datasets': factOf(datasetsOf(row, found), version),
    'lineage.parent': factOf(row.parent, version),
  };
};

/** What the version says of itself; NOT_FOUND when there is none. */
export const versionFacts = async (db: ReadDb, { versionId }: Place): Promise<Facts> => {
  const [row] = await db.sql<VersionRow>(query, [versionId]);
  if (!row) throw notFound('The version of the model');
  return { ...identity(row), ...contents(row) };
};

interface AroundRow {
  readonly artifacts: readonly object[] | null;
  readonly aliases: readonly object[] | null;
  readonly tags: readonly object[] | null;
  readonly trail: { readonly entries: number; readonly first: string; readonly last: string } | null;
}

const around = `
  select (select jsonb_agg(jsonb_build_object('path', a.path, 'sha256', a.sha256, 'bytes', a.bytes) order by a.path)
            from (select * from artifact where version_id = $1::uuid order by path limit 1000) a) as artifacts,
         (select jsonb_agg(jsonb_build_object('name', a.name, 'at', a.moved_at) order by a.name)
            from model_alias a where a.version_id = $1::uuid and a.moved_at <= $2) as aliases,
         (select jsonb_agg(jsonb_build_object('key', t.key, 'value', t.value) order by t.key)
            from (select key, value from model_tag where set_at <= $2 and (version_id = $1::uuid or (version_id is null and
                  model_id = (select model_id from model_version where id = $1::uuid))) order by key limit 200) t) as tags,
         (select case when count(*) = 0 then null else
                   jsonb_build_object('entries', count(*), 'first', min(e.at), 'last', max(e.at)) end
            from audit_event e where e.workspace_id = app_workspace() and e.subject_kind = 'modelVersion'
             and e.subject_id = $1::uuid::text and e.at <= $2) as trail`;

/** What stands around the version: files, names, tags, and what the trail holds. */
export const surroundingFacts = async (db: ReadDb, { versionId, at }: Place): Promise<Facts> => {
  const [row] = await db.sql<AroundRow>(around, [versionId, at]);
  return {
    'version.artifacts': factOf(row?.artifacts),
    'version.aliases': factOf(row?.aliases ?? []),
    'version.tags': factOf(row?.tags),
    'version.trail': factOf(row?.trail),
  };
};
