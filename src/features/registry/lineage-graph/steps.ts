import type { ReadDb } from '../../../kernel/db.js';
import { foldName } from '../names.js';
import { datasetNode, versionNode, type Found, type LineageEdge, type LineageNode } from './graph.js';

/** One step from a set of versions or data, in one statement; at most so many rows. */
export type Step = (db: ReadDb, ids: readonly string[], most: number) => Promise<Found[]>;

const here = 'workspace_id = app_workspace()';
const version = (id: string): string => `version:${id}`;

const up = (node: LineageNode, to: string, kind: LineageEdge['kind'], label = ''): Found => ({
  node,
  edge: { from: node.key, to, kind, label },
});

const down = (node: LineageNode, from: string, kind: LineageEdge['kind'], label = ''): Found => ({
  node,
  edge: { from, to: node.key, kind, label },
});

interface VersionRow {
  readonly of: string;
  readonly id: string;
  readonly model: string;
  readonly version: number;
  readonly deleted: boolean;
}

const versionColumns = `v.id, m.name as model, v.version, v.deleted_at is not null as deleted`;

/** Runs and commits by what they are called, and the version that a version was made from. */
const origins: Step = async (db, ids, most) => {
  const rows = await db.sql<{ of: string; run: string | null; code: string | null }>(
    `select id as of, lineage ->> 'run' as run, lineage ->> 'codeCommit' as code from model_version
      where id = any($1) limit $2`,
    [ids, most],
  );
  const named = (kind: 'RUN' | 'COMMIT', label: string): LineageNode => ({
    key: `${kind.toLowerCase()}:${label}`,
    kind,
    label,
    id: null,
    deleted: false,
  });
  return rows.flatMap(({ of, run, code }) => [
    ...(run === null ? [] : [up(named('RUN', run), version(of), 'TRAINED')]),
    ...(code === null ? [] : [up(named('COMMIT', code), version(of), 'CODED')]),
  ]);
};

const parents: Step = async (db, ids, most) => {
  const rows = await db.sql<VersionRow>(
    `select c.id as of, ${versionColumns}
       from model_version c join model_version v on v.id = c.parent_version_id join registered_model m on m.id = v.model_id
      where c.id = any($1) order by v.id limit $2`,
    [ids, most],
  );
  return rows.map((row) => up(versionNode(row), version(row.of), 'DERIVED'));
};

const children: Step = async (db, ids, most) => {
  const rows = await db.sql<VersionRow>(
    `select v.parent_version_id as of, ${versionColumns}
       from model_version v join registered_model m on m.id = v.model_id
      where v.${here} and v.parent_version_id = any($1) order by v.id limit $2`,
    [ids, most],
  );
  return rows.map((row) => down(versionNode(row), version(row.of), 'DERIVED'));
};

interface DataRow {
  readonly of: string;
  readonly id: string | null;
  readonly sha256: string;
  readonly role: string;
  readonly label: string;
  readonly deleted: boolean;
}

/** The registered version that the lineage names, else the newest one with this digest. */
const data: Step = async (db, ids, most) => {
  const rows = await db.sql<DataRow>(
    `select l.version_id as of, d.id, l.sha256, l.role, coalesce(s.name || ' ' || d.version, l.name) as label,
            coalesce(d.deleted_at is not null, false) as deleted
       from version_dataset l
       left join lateral (
         select * from dataset_version d where d.workspace_id = l.workspace_id and d.sha256 = l.sha256
          order by (d.id is not distinct from l.dataset_version_id) desc, d.deleted_at is null desc, d.id desc limit 1) d on true
       left join dataset s on s.id = d.dataset_id
      where l.version_id = any($1) order by l.name limit $2`,
    [ids, most],
  );
  return rows.map((row) => up(datasetNode(row), version(row.of), 'MADE_FROM', row.role));
};

/** Versions that were made from data: those that name it, and those that name its digest. */
const madeFrom: Step = async (db, ids, most) => {
  const rows = await db.sql<VersionRow & { role: string }>(
    `select d.id as of, l.role, ${versionColumns}
       from dataset_version d
       join version_dataset l on l.workspace_id = d.workspace_id and l.sha256 = d.sha256
       join model_version v on v.id = l.version_id join registered_model m on m.id = v.model_id
      where d.id = any($1) order by v.id desc limit $2`,
    [ids, most],
  );
  return rows.map((row) => down(versionNode(row), `dataset:${row.of}`, 'MADE_FROM', row.role));
};

const isEnsemble = (row: string): string => `${row}.signature ->> 'kind' = 'ensemble'`;
const isModelFile = (row: string): string => `${row}.path ilike '%.onnx'`;

/** The models that an ensemble is made of: versions that are that file, else the file itself. */
const members: Step = async (db, ids, most) => {
  const rows = await db.sql<Partial<VersionRow> & { of: string; path: string; sha256: string }>(
    `select f.version_id as of, f.path, f.sha256, ${versionColumns}
       from artifact f join model_version e on e.id = f.version_id and ${isEnsemble('e')}
       left join lateral (
         select v.* from artifact o join model_version v on v.id = o.version_id
          where o.workspace_id = f.workspace_id and o.sha256 = f.sha256 and ${isModelFile('o')}
            and v.id <> e.id and not coalesce(${isEnsemble('v')}, false)) v on true
       left join registered_model m on m.id = v.model_id
      where f.version_id = any($1) and ${isModelFile('f')} order by f.path limit $2`,
    [ids, most],
  );
  return rows.map(({ of, path, sha256, id, model, version: number, deleted }) => {
    const file: LineageNode = { key: `file:${sha256}`, kind: 'FILE', label: path, id: null, deleted: false };
    const known = id && model !== undefined && number !== undefined;
    const node = known ? versionNode({ id, model, version: number, deleted: deleted ?? false }) : file;
    return up(node, version(of), 'MEMBER_OF', path);
  });
};

/** The ensembles that a version is a member of. */
const ensembles: Step = async (db, ids, most) => {
  const rows = await db.sql<VersionRow & { path: string }>(
    `select f.version_id as of, o.path, ${versionColumns}
       from artifact f
       join model_version e on e.id = f.version_id and not coalesce(${isEnsemble('e')}, false)
       join artifact o on o.workspace_id = f.workspace_id and o.sha256 = f.sha256 and o.version_id <> f.version_id
       join model_version v on v.id = o.version_id and ${isEnsemble('v')}
       join registered_model m on m.id = v.model_id
      where f.version_id = any($1) and ${isModelFile('f')} order by v.id limit $2`,
    [ids, most],
  );
  return rows.map((row) => down(versionNode(row), version(row.of), 'MEMBER_OF', row.path));
};

interface AliasRow {
  readonly of: string;
  readonly id: string;
  readonly label: string;
}

const aliases: Step = async (db, ids, most) => {
  const rows = await db.sql<AliasRow>(
    `select a.version_id as of, a.id, m.name || '@' || a.name as label
       from model_alias a join registered_model m on m.id = a.model_id
      where a.version_id = any($1) order by a.id limit $2`,
    [ids, most],
  );
  return rows.map(({ of, id, label }) =>
    down({ key: `alias:${id}`, kind: 'ALIAS', label, id, deleted: false }, version(of), 'NAMED'),
  );
};

/** The endpoints that serve an alias. Endpoints keep the alias as it was written. */
const endpoints: Step = async (db, ids, most) => {
  const rows = await db.sql<AliasRow & { alias: string; folded: string }>(
    `select a.id as of, e.id, e.slug as label, e.alias, a.folded
       from model_alias a join endpoint e on e.model_id = a.model_id
      where a.id = any($1) order by e.id limit $2`,
    [ids, most],
  );
  return rows
    .filter(({ alias, folded }) => foldName(alias) === folded)
    .map(({ of, id, label }) =>
      down({ key: `endpoint:${id}`, kind: 'ENDPOINT', label, id, deleted: false }, `alias:${of}`, 'SERVED'),
    );
};

/** Where one looks from a node of a kind, up and down. */
export const steps: Readonly<
  Record<'UP' | 'DOWN', Readonly<Partial<Record<LineageNode['kind'], readonly Step[]>>>>
> = {
  UP: { VERSION: [origins, data, parents, members] },
  DOWN: { VERSION: [children, ensembles, aliases], DATASET: [madeFrom], ALIAS: [endpoints] },
};
