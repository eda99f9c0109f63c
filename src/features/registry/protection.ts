import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import type { ReadDb, Tx } from '../../kernel/db.js';
import { AppError } from '../../kernel/errors.js';
import { installationRoot } from '../../kernel/root.js';
import { foldName, matchesPattern } from './names.js';

/** What the registry needs of an approval policy; the rest of the document belongs to the approvals. */
const protectedPart = z.object({ protectedAliases: z.array(z.string().min(1)).min(1) });

const read = (name: string): readonly string[] => {
  const file = join(installationRoot, 'policies', 'approvals', `${name}.yaml`);
  return protectedPart.parse(parse(readFileSync(file, 'utf8'))).protectedAliases;
};

const known = new Map<string, readonly string[]>();

/** What a policy of the installation protects; each file is read once. */
const ofInstallation = (name: string): readonly string[] => {
  const patterns = known.get(name) ?? read(name);
  known.set(name, patterns);
  return patterns;
};

/** The patterns of protected aliases in force: the workspace's newest policy, else that with which it started. */
export const protectedAliasPatterns = async (db: ReadDb): Promise<readonly string[]> => {
  const [row] = await db.sql<{ document: unknown; name: string }>(
    `select w.starting_policy as name, (select p.document from approval_policy p order by p.revision desc limit 1) as document
       from workspace w where w.id = app_workspace()`,
    [],
    'registry.protectedAliases',
  );
  if (!row) return ofInstallation('default');
  return row.document === null
    ? ofInstallation(row.name)
    : protectedPart.parse(row.document).protectedAliases;
};

const policyLock = `hashtextextended('approval policy/' || app_workspace(), 0)`;

/** Keeps the policy as it is until the transaction ends: what it allowed is still allowed when it happens. */
export const holdPolicy = async (tx: Tx): Promise<void> => {
  await tx.sql(`select pg_advisory_xact_lock_shared(${policyLock})`);
};

/** Waits until nobody acts under the present policy any more, for whoever puts another one in its place. */
export const replacePolicy = async (tx: Tx): Promise<void> => {
  await tx.sql(`select pg_advisory_xact_lock(${policyLock})`);
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

/** The one open request about a name, for whoever is refused to move it. */
interface OpenRequest {
  readonly number: number;
  readonly url: string;
}

/** What nobody completed in time leads nowhere, also before it is closed; what is approved stays so. */
const openRequest = async (
  tx: Tx,
  modelId: string,
  alias: string,
  now: Date,
): Promise<OpenRequest | null> => {
  const [row] = await tx.sql<{ number: number }>(
    `select number from change_request
      where workspace_id = app_workspace() and target_key = $1
        and (state = 'APPROVED' or (state = 'OPEN' and expires_at > $2))`,
    [`alias:${modelId}:${foldName(alias)}`, now],
  );
  return row ? { number: row.number, url: `/changes/${String(row.number)}` } : null;
};

/** What somebody wanted to do to a protected name. */
export interface ProtectedDeed {
  /** In words: «moving it». */
  readonly what: string;
  /** What leads there, or to something like it, instead. */
  readonly instead: string;
  /** The version that the name was to stand for, where one was meant: people can be asked for that. */
  readonly move?: { readonly versionId: string; readonly useCaseId: string | null };
  readonly now: Date;
}

const refusal = async (tx: Tx, modelId: string, alias: string, deed: ProtectedDeed): Promise<AppError> => {
  const open = await openRequest(tx, modelId, alias, deed.now);
  const why = deed.move ? 'needs an approved change request' : 'is refused';
  const lead = open ? ` Change request #${String(open.number)} about it is open.` : '';
  return new AppError(
    'PRECONDITION_FAILED',
    `The alias ${alias} is protected: ${deed.what} ${why}.${lead} ${deed.instead}`,
    {
      rule: 'protected-alias',
      alias,
      next: 'requestPromotion',
      instead: deed.instead,
      ...(deed.move ? { move: { modelId, ...deed.move } } : {}),
      ...(open ? { changeRequest: open } : {}),
    },
  );
};

/** Refuses what would change to what an alias of a model resolves, when one of them is protected. */
export const requireUnprotected = async (
  tx: Tx,
  modelId: string,
  aliases: readonly string[],
  deed: ProtectedDeed,
): Promise<void> => {
  await holdPolicy(tx);
  const patterns = await protectedAliasPatterns(tx);
  const found = aliases.find((alias) => patterns.some((pattern) => matchesPattern(alias, pattern)));
  if (found !== undefined) throw await refusal(tx, modelId, found, deed);
};

/** Refuses when the model, or one of its versions, is found by a protected name. */
export const requireNoProtectedName = async (
  tx: Tx,
  of: { readonly modelId: string; readonly versionId?: string },
  deed: ProtectedDeed,
): Promise<void> => {
  await holdPolicy(tx);
  const [name] = await protectedNamesOf(tx, of);
  if (name !== undefined) throw await refusal(tx, of.modelId, name, deed);
};
