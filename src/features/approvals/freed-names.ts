import type { ReadDb } from '../../kernel/db.js';
import { matchesPattern, protectedAliasPatterns } from '../registry/index.js';
import { precondition } from './require-protected.js';

interface StandingName {
  readonly model: string;
  readonly name: string;
}

/** Every name that versions are found by in the workspace: aliases, stages, and what endpoints serve. */
const standingNames = (db: ReadDb): Promise<StandingName[]> =>
  db.sql<StandingName>(
    `select m.name as model, named.name
       from (select model_id, name from model_alias
             union select model_id, stage from model_version where stage <> 'None' and deleted_at is null
             union select model_id, alias from endpoint) named
       join registered_model m on m.id = named.model_id
      order by 1, 2`,
  );

const fits = (name: string, patterns: readonly string[]): boolean =>
  patterns.some((pattern) => matchesPattern(name, pattern));

/**
 * Refuses a policy that would take its protection from a name that stands. Whoever approves rules does not look at
 * versions, so the rules must not be the way on which a protected name becomes free to move.
 */
export const requireNoneFreed = async (
  db: ReadDb,
  { protectedAliases }: { readonly protectedAliases: readonly string[] },
): Promise<void> => {
  const inForce = await protectedAliasPatterns(db);
  const freed = (await standingNames(db)).filter(
    ({ name }) => fits(name, inForce) && !fits(name, protectedAliases),
  );
  const [first] = freed;
  if (!first) return;
  const sentence = `The policy would free ${first.name} of ${first.model}, which stands: a name stays protected as long as it names a version or an endpoint serves it`;
  throw precondition('protected-name-stands', sentence, { freed: freed.slice(0, 20) });
};
