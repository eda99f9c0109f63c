import { z } from 'zod';
import { defineQuery } from '../../../kernel/query.js';
import { foldName, isProtected } from '../../registry/index.js';
import { findVersion, versionName, type NamedVersion } from './keys.js';

/** The tag by which a model or a version names the use case that it is promoted for. */
export const useCaseTag = 'countersign.use_case';

/** The use case that a name would be moved for, as far as it is known. */
export type KnownUseCase =
  | { readonly kind: 'known'; readonly id: string }
  | { readonly kind: 'unknown'; readonly named: string }
  | { readonly kind: 'none' }
  | { readonly kind: 'several'; readonly slugs: readonly string[] };

interface UseCaseRow {
  readonly id: string | null;
  readonly slug: string;
  /** Whether it is the use of this very name, not of another one of the model. */
  readonly same: boolean;
}

/** What is said of the version comes before what is said of its model, and that before what was approved earlier. */
const useCases = `
  with said as (
    select value from model_tag
     where model_id = $1 and key = $4 and (version_id = $2 or version_id is null)
     order by version_id nulls last limit 1
  )
  select u.id, coalesce(u.slug, said.value) as slug, true as same
    from said left join use_case u on u.slug = said.value or u.id::text = said.value
  union all
  select u.id, u.slug, bool_or(bound.same) as same
    from use_case u
    join (select use_case_id, folded = $3 as same from model_alias where model_id = $1
          union all
          select use_case_id, alias = $5 from change_request where model_id = $1 and kind = 'ALIAS' and state = 'EXECUTED'
         ) bound on bound.use_case_id = u.id
   where not exists (select from said) group by u.id, u.slug`;

const known = (all: readonly UseCaseRow[]): KnownUseCase => {
  const same = all.filter((row) => row.same);
  const rows = same.length === 1 ? same : all;
  const [first, second] = rows;
  if (!first) return { kind: 'none' };
  if (second) return { kind: 'several', slugs: rows.map(({ slug }) => slug).slice(0, 20) };
  if (first.id === null) return { kind: 'unknown', named: first.slug.slice(0, 100) };
  return { kind: 'known', id: first.id };
};

/** How a name of a model stands: whether it is protected, where it points, and for which use it would move. */
export interface NameStanding {
  readonly version: NamedVersion;
  readonly isProtected: boolean;
  /** Whether it names the version already. */
  readonly isThere: boolean;
  readonly useCase: KnownUseCase;
}

export const nameStanding = defineQuery({
  name: 'mlflow.nameStanding',
  describe: 'Whether a name of a model is protected, and for which use it would move to a version.',
  permission: 'alias:read',
  input: z.object({ ...versionName, alias: z.string().min(1).max(255) }),
  handle: async ({ db, input }): Promise<NameStanding> => {
    const { alias } = input;
    const [version, isProtectedName] = await Promise.all([findVersion(db, input), isProtected(db, alias)]);
    if (!isProtectedName) return { version, isProtected: false, isThere: false, useCase: { kind: 'none' } };
    const folded = foldName(alias);
    const [there] = await db.sql(
      'select 1 from model_alias where model_id = $1 and folded = $2 and version_id = $3',
      [version.modelId, folded, version.id],
    );
    const rows = await db.sql<UseCaseRow>(useCases, [version.modelId, version.id, folded, useCaseTag, alias]);
    return { version, isProtected: true, isThere: there !== undefined, useCase: known(rows) };
  },
});
