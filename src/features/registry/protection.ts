import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import type { ReadDb } from '../../kernel/db.js';
import { AppError } from '../../kernel/errors.js';
import { installationRoot } from '../../kernel/root.js';
import { matchesPattern } from './names.js';

/** What the registry needs of an approval policy; the rest of the document belongs to the approvals. */
const protectedPart = z.object({ protectedAliases: z.array(z.string().min(1)).min(1) });

const readDefault = (): readonly string[] => {
  const file = join(installationRoot, 'policies', 'approvals', 'default.yaml');
  return protectedPart.parse(parse(readFileSync(file, 'utf8'))).protectedAliases;
};

let defaults: readonly string[] | undefined;

/** The patterns of protected aliases in force: the workspace's newest policy, else the installation's default. */
export const protectedAliasPatterns = async (db: ReadDb): Promise<readonly string[]> => {
  const [row] = await db.sql<{ document: unknown }>(
    'select document from approval_policy order by revision desc limit 1',
    [],
    'registry.policy',
  );
  if (row) return protectedPart.parse(row.document).protectedAliases;
  defaults ??= readDefault();
  return defaults;
};

/** Whether an alias moves only through an approved change. */
export const isProtected = async (db: ReadDb, alias: string): Promise<boolean> =>
  (await protectedAliasPatterns(db)).some((pattern) => matchesPattern(alias, pattern));

/** The protected names, aliases and stages, by which a model or one of its versions is found. */
export const protectedNamesOf = async (
  db: ReadDb,
  of: { readonly modelId: string; readonly versionId?: string },
): Promise<string[]> => {
  const rows = await db.sql<{ name: string }>(
    `select name from model_alias where model_id = $1 and ($2::uuid is null or version_id = $2)
     union
     select stage from model_version
      where model_id = $1 and ($2::uuid is null or id = $2) and deleted_at is null and stage <> 'None'
      order by 1`,
    [of.modelId, of.versionId ?? null],
  );
  if (rows.length === 0) return [];
  const patterns = await protectedAliasPatterns(db);
  return rows
    .map(({ name }) => name)
    .filter((name) => patterns.some((pattern) => matchesPattern(name, pattern)));
};

/** Refuses what would change to what the alias resolves. */
export const refuseProtected = (alias: string, deed: string): AppError =>
  new AppError(
    'PRECONDITION_FAILED',
    `The alias ${alias} is protected: ${deed} needs an approved change request. Ask with requestPromotion.`,
    { rule: 'protected-alias', alias, next: 'requestPromotion' },
  );

/** Refuses when the model, or one of its versions, is found by a protected name. */
export const requireNoProtectedName = async (
  db: ReadDb,
  of: { readonly modelId: string; readonly versionId?: string },
  deed: string,
): Promise<void> => {
  const [name] = await protectedNamesOf(db, of);
  if (name !== undefined) throw refuseProtected(name, deed);
};

/** Refuses when the alias is protected. */
export const requireUnprotected = async (db: ReadDb, alias: string, deed: string): Promise<void> => {
  if (await isProtected(db, alias)) throw refuseProtected(alias, deed);
};
