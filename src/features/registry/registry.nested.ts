import { z } from 'zod';
import { defineQuery } from '../../kernel/query.js';
import { protectedAliasPatterns } from './protection.js';
import { matchesPattern } from './names.js';
import { modelSelect, versionSelect, type ModelView, type VersionView } from './registry.queries.js';

/*
 * What belongs to the rows of a list, read for all rows at once.
 */

const ids = z.object({ ids: z.array(z.uuid()).max(200) });

/** An artifact as shown. */
export interface ArtifactView {
  readonly id: string;
  readonly versionId: string;
  readonly path: string;
  readonly sha256: string;
  readonly bytes: number;
  readonly mediaType: string;
  readonly createdBy: string;
  readonly createdAt: Date;
}

export const artifactsOfVersions = defineQuery({
  name: 'artifact.ofVersions',
  describe: 'The artifacts of versions.',
  permission: 'artifact:read',
  input: ids,
  handle: ({ db, input }): Promise<ArtifactView[]> =>
    db.sql(
      `select id, version_id as "versionId", path, sha256, bytes::float8 as bytes, media_type as "mediaType",
              created_by as "createdBy", created_at as "createdAt"
         from artifact where version_id = any($1) order by path`,
      [input.ids],
    ),
});

/** An alias as shown. */
export interface AliasView {
  readonly id: string;
  readonly modelId: string;
  readonly name: string;
  readonly versionId: string;
  readonly useCaseId: string | null;
  readonly movedAt: Date;
  readonly movedBy: string;
  readonly changeRequestId: string | null;
  readonly protected: boolean;
}

export const aliasesOfModels = defineQuery({
  name: 'alias.ofModels',
  describe: 'The aliases of models.',
  permission: 'alias:read',
  input: ids,
  handle: async ({ db, input }): Promise<AliasView[]> => {
    const patterns = await protectedAliasPatterns(db);
    const rows = await db.sql<Omit<AliasView, 'protected'>>(
      `select id, model_id as "modelId", name, version_id as "versionId", use_case_id as "useCaseId",
              moved_at as "movedAt", moved_by as "movedBy", change_request_id as "changeRequestId"
         from model_alias where model_id = any($1) order by name`,
      [input.ids],
    );
    return rows.map((row) => ({
      ...row,
      protected: patterns.some((pattern) => matchesPattern(row.name, pattern)),
    }));
  },
});

/** A tag as shown. */
export interface TagView {
  readonly id: string;
  readonly modelId: string;
  readonly versionId: string | null;
  readonly key: string;
  readonly value: string;
  readonly setBy: string;
  readonly setAt: Date;
}

export const tagsOfModels = defineQuery({
  name: 'tag.ofModels',
  describe: 'The tags of models, without those of their versions.',
  permission: 'model:read',
  input: ids,
  handle: ({ db, input }): Promise<TagView[]> =>
    db.sql(`${tagSelect} where model_id = any($1) and version_id is null order by key`, [input.ids]),
});

export const tagsOfVersions = defineQuery({
  name: 'tag.ofVersions',
  describe: 'The tags of versions.',
  permission: 'modelVersion:read',
  input: ids,
  handle: ({ db, input }): Promise<TagView[]> =>
    db.sql(`${tagSelect} where version_id = any($1) order by key`, [input.ids]),
});

const tagSelect = `
  select id, model_id as "modelId", version_id as "versionId", key, value, set_by as "setBy", set_at as "setAt"
    from model_tag`;

/** Deleted ones too: what points to them still says what it meant. */
export const modelsByIds = defineQuery({
  name: 'model.byIds',
  describe: 'Models by id.',
  permission: 'model:read',
  input: ids,
  handle: ({ db, input }): Promise<ModelView[]> => db.sql(`${modelSelect} where id = any($1)`, [input.ids]),
});

/** Deleted ones too: a lineage does not end where something was deleted. */
export const versionsByIds = defineQuery({
  name: 'modelVersion.byIds',
  describe: 'Versions by id.',
  permission: 'modelVersion:read',
  input: ids,
  handle: ({ db, input }): Promise<VersionView[]> =>
    db.sql(`${versionSelect} where id = any($1)`, [input.ids]),
});
