import { z } from 'zod';
import { defineQuery } from '../../../kernel/query.js';
import { foldName, isProtected, protectedAliasPatterns, matchesPattern } from '../../registry/index.js';
import type { VersionFacts } from '../upstream/told.js';
import { askedName } from './models.js';

/** What is known of a version in another server. */
export interface Copy {
  readonly address: string;
  readonly files: string;
  readonly location: string;
  readonly facts: VersionFacts;
}

export const copyOfVersion = defineQuery({
  name: 'upstream.copyOfVersion',
  describe: 'What another MLflow server told of a version, as it was told there.',
  permission: 'upstream:read',
  input: z.object({ versionId: z.uuid() }),
  handle: async ({ db, input }): Promise<Copy | null> => {
    const [row] = await db.sql<Copy>(
      'select address, files, location, facts from upstream_copy where version_id = $1',
      [input.versionId],
    );
    return row ?? null;
  },
});

export const isClosedPlace = defineQuery({
  name: 'upstream.isClosedPlace',
  describe: 'Whether files at a path of the artifact proxy belong to a version, and must stay as they are.',
  permission: 'upstream:read',
  input: z.object({ path: z.string().max(4000) }),
  handle: async ({ db, input: { path } }): Promise<boolean> => {
    const parts = path.split('/');
    const above = parts.map((_, index) => parts.slice(0, index + 1).join('/'));
    const [row] = await db.sql(
      `select 1 from upstream_copy
        where workspace_id = app_workspace() and location <> '' and (location = any($1) or starts_with(location, $2))
        limit 1`,
      [above, `${path}/`],
    );
    return row !== undefined;
  },
});

/** Where a protected name of a model stands here. */
export interface ProtectedTarget {
  readonly isProtected: boolean;
  readonly modelId: string | null;
  readonly version: number | null;
}

export const protectedTarget = defineQuery({
  name: 'upstream.protectedTarget',
  describe: 'Whether an alias is protected, and to which version of a model it was moved here.',
  permission: 'alias:read',
  input: z.object({ name: askedName, alias: z.string().min(1).max(255) }),
  handle: async ({ db, input: { name, alias } }): Promise<ProtectedTarget> => {
    const [row] = await db.sql<{ modelId: string; version: number | null }>(
      `select m.id as "modelId", v.version from registered_model m
         left join model_alias a on a.model_id = m.id and a.folded = $3
         left join model_version v on v.id = a.version_id
        where m.folded = $1 and m.name = $2 and m.deleted_at is null`,
      [foldName(name), name, foldName(alias)],
    );
    const found = { modelId: row?.modelId ?? null, version: row?.version ?? null };
    return { ...found, isProtected: await isProtected(db, alias) };
  },
});

export const protectedAmong = defineQuery({
  name: 'upstream.protectedAmong',
  describe: 'Which of some names are protected.',
  permission: 'alias:read',
  input: z.object({ names: z.array(z.string().max(300)).max(5000) }),
  handle: async ({ db, input: { names } }): Promise<string[]> => {
    const patterns = await protectedAliasPatterns(db);
    return names.filter((name) => patterns.some((pattern) => matchesPattern(name, pattern)));
  },
});

export const workspaceSlug = defineQuery({
  name: 'upstream.workspaceSlug',
  describe: 'The slug of the workspace that is asked in.',
  permission: 'upstream:read',
  input: z.object({}),
  handle: async ({ db }): Promise<string> => {
    const [row] = await db.sql<{ slug: string }>('select slug from workspace where id = app_workspace()');
    return row?.slug ?? '';
  },
});

/** Where an alias stands here, and what is known of its version in the other server. */
export interface AliasStanding {
  readonly modelId: string;
  readonly model: string;
  readonly alias: string;
  readonly versionId: string;
  readonly version: number;
  readonly facts: VersionFacts | null;
}

export const aliasStanding = defineQuery({
  name: 'upstream.aliasStanding',
  describe: 'Where an alias stands, and what another MLflow server told of its version.',
  permission: 'alias:read',
  input: z.object({ aliasId: z.uuid() }),
  handle: async ({ db, input }): Promise<AliasStanding | null> => {
    const [row] = await db.sql<AliasStanding>(
      `select a.model_id as "modelId", m.name as model, a.name as alias, v.id as "versionId", v.version, c.facts
         from model_alias a join registered_model m on m.id = a.model_id join model_version v on v.id = a.version_id
         join upstream_copy of_model on of_model.model_id = m.id and of_model.version_id is null
         left join upstream_copy c on c.version_id = v.id
        where a.id = $1 and m.deleted_at is null`,
      [input.aliasId],
    );
    return row ?? null;
  },
});

/** What is known here of a model that stands in another server too. */
export interface ModelStanding {
  readonly aliases: readonly { readonly name: string; readonly version: number }[];
  readonly stages: readonly { readonly name: string; readonly version: number }[];
  readonly versions: readonly {
    readonly id: string;
    readonly version: number;
    readonly told: string | null;
    readonly files: string | null;
    readonly location: string | null;
    readonly facts: VersionFacts | null;
  }[];
}

export const modelStanding = defineQuery({
  name: 'upstream.modelStanding',
  describe: 'Aliases, stages and copied versions of a model.',
  permission: 'upstream:read',
  input: z.object({ modelId: z.uuid() }),
  handle: async ({ db, input: { modelId } }): Promise<ModelStanding> => {
    const [aliases, stages, versions] = await Promise.all([
      db.sql<ModelStanding['aliases'][number]>(
        `select a.name, v.version from model_alias a join model_version v on v.id = a.version_id where a.model_id = $1`,
        [modelId],
      ),
      db.sql<ModelStanding['stages'][number]>(
        `select stage as name, version from model_version where model_id = $1 and stage <> 'None' and deleted_at is null`,
        [modelId],
      ),
      db.sql<ModelStanding['versions'][number]>(
        `select v.id, v.version, c.told_sha256 as told, c.files, c.location, c.facts
           from model_version v left join upstream_copy c on c.version_id = v.id where v.model_id = $1`,
        [modelId],
      ),
    ]);
    return { aliases, stages, versions };
  },
});

export const copiedModels = defineQuery({
  name: 'upstream.copiedModels',
  describe: 'The models that were copied from a server, by name.',
  permission: 'upstream:read',
  input: z.object({ address: z.string().max(2000) }),
  handle: ({ db, input: { address } }): Promise<{ id: string; name: string }[]> =>
    db.sql<{ id: string; name: string }>(
      `select m.id, m.name from upstream_copy c join registered_model m on m.id = c.model_id
        where c.version_id is null and c.address = $1 and m.deleted_at is null order by m.name`,
      [address],
    ),
});

/** What is known of a name and a number, as copied from a server. */
export interface KnownCopy {
  readonly modelId: string;
  readonly version: VersionFacts | null;
}

export const knownCopy = defineQuery({
  name: 'upstream.knownCopy',
  describe: 'Whether a model of a server, and a version of it, were copied already.',
  permission: 'upstream:read',
  input: z.object({ address: z.string().max(2000), name: askedName, version: z.int().nullable() }),
  handle: async ({ db, input: { address, name, version } }): Promise<KnownCopy | null> => {
    const [row] = await db.sql<KnownCopy>(
      `select m.id as "modelId",
              (select of_version.facts from model_version v join upstream_copy of_version on of_version.version_id = v.id
                where v.model_id = m.id and v.version = $4) as version
         from registered_model m join upstream_copy c on c.model_id = m.id and c.version_id is null
        where m.folded = $1 and m.name = $2 and m.deleted_at is null and c.address = $3`,
      [foldName(name), name, address, version],
    );
    return row ?? null;
  },
});
