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
