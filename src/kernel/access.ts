import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { newEnforcer, newModelFromString, StringAdapter, type Enforcer } from 'casbin';
import { rolesOf, type Actor } from './actor.js';
import { isPermission, type Permission } from './permissions.js';

/** Answers who may do what. */
export interface Access {
  /** Whether the actor may, in the workspace the actor works in. Deny by default. */
  may(actor: Actor, permission: Permission): boolean;
  /** Everything the actor may, for interfaces that show only what is allowed. */
  permissionsOf(actor: Actor): ReadonlySet<Permission>;
  /** The roles that hold a permission, for refusals that say who could do it. */
  holders(permission: Permission): readonly string[];
}

/** Role → permissions, inheritance resolved. */
export type RoleIndex = ReadonlyMap<string, ReadonlySet<Permission>>;

/** Reads the Casbin policy of an installation; the policy language and the oracle of our index. */
export const openEnforcer = async (folder: string): Promise<Enforcer> => {
  const [model, lines] = await Promise.all([
    readFile(join(folder, 'model.conf'), 'utf8'),
    readFile(join(folder, 'roles.csv'), 'utf8'),
  ]);
  return newEnforcer(newModelFromString(model), new StringAdapter(withoutComments(lines)));
};

const withoutComments = (csv: string): string =>
  csv
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
    .join('\n');

/**
 * Compiles a Casbin policy (`p, role, permission` and `g, role, inherited role`) into an index.
 * Casbin itself checks some 60 requests a second over 10,000 lines; the index answers in nanoseconds, and a
 * property test compares the two.
 */
export const compileRoles = async (enforcer: Enforcer): Promise<RoleIndex> => {
  const direct = new Map<string, Set<Permission>>();
  for (const [role = '', permission = ''] of await enforcer.getPolicy()) {
    if (!isPermission(permission))
      throw new Error(`policies/roles.csv names an unknown permission: ${permission}`);
    direct.set(role, (direct.get(role) ?? new Set()).add(permission));
  }
  const parents = new Map<string, string[]>();
  for (const [role = '', parent = ''] of await enforcer.getGroupingPolicy()) {
    parents.set(role, [...(parents.get(role) ?? []), parent]);
  }
  const names = new Set([...direct.keys(), ...parents.keys()]);
  return new Map([...names].map((name) => [name, collect(name, direct, parents, new Set())]));
};

const collect = (
  role: string,
  direct: ReadonlyMap<string, ReadonlySet<Permission>>,
  parents: ReadonlyMap<string, readonly string[]>,
  seen: Set<string>,
): Set<Permission> => {
  if (seen.has(role)) return new Set();
  seen.add(role);
  const inherited = (parents.get(role) ?? []).flatMap((parent) => [
    ...collect(parent, direct, parents, seen),
  ]);
  return new Set([...(direct.get(role) ?? []), ...inherited]);
};

/** What everybody who is signed in may do, in any workspace or none. */
const everybody = 'everybody';

/** Builds the check over a compiled index. */
export const accessOver = (index: RoleIndex): Access => {
  const held = (actor: Actor): ReadonlySet<Permission> => {
    const all = [everybody, ...rolesOf(actor)].flatMap((role) => [...(index.get(role) ?? [])]);
    const scopes = actor.kind === 'system' ? null : actor.scopes;
    return new Set(scopes === null ? all : all.filter((permission) => scopes.includes(permission)));
  };
  const cache = new WeakMap<Actor, ReadonlySet<Permission>>();
  const permissionsOf = (actor: Actor): ReadonlySet<Permission> => {
    const known = cache.get(actor);
    if (known) return known;
    const computed = held(actor);
    cache.set(actor, computed);
    return computed;
  };
  return {
    permissionsOf,
    may: (actor, permission) => permissionsOf(actor).has(permission),
    holders: (permission) =>
      [...index].filter(([role, set]) => role !== 'system' && set.has(permission)).map(([role]) => role),
  };
};

/** Reads and compiles the policy of an installation. */
export const openAccess = async (folder: string): Promise<Access> =>
  accessOver(await compileRoles(await openEnforcer(folder)));
