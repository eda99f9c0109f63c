import type { Permission } from './permissions.js';

/** The roles a person or a service account can hold in a workspace. */
export const roles = [
  'engineer',
  'validator',
  'compliance',
  'reviewer',
  'owner',
  'auditor',
  'administrator',
  'service',
] as const;

/** One role of the closed list. */
export type Role = (typeof roles)[number];

const knownRoles: ReadonlySet<string> = new Set(roles);

/** Whether a text names a role that can be given to someone. */
export const isRole = (text: string): text is Role => knownRoles.has(text);

interface Scoped {
  /** The organization the actor works for now; null only outside of any. */
  readonly organizationId: string | null;
  /** The workspace the actor works in now; decides what row-level security lets through. */
  readonly workspaceId: string | null;
}

/** A person, in a session or through a personal token. */
export interface UserActor extends Scoped {
  readonly kind: 'user';
  readonly id: string;
  readonly name: string;
  readonly roles: readonly Role[];
  /** When the person last proved who they are at the identity provider. */
  readonly authenticatedAt: Date;
  readonly sessionId: string | null;
  readonly tokenId: string | null;
  /** A token may be limited to some permissions; null means all of the holder's. */
  readonly scopes: readonly Permission[] | null;
}

/** A machine with a service account's token. */
export interface ServiceActor extends Scoped {
  readonly kind: 'service';
  readonly id: string;
  readonly name: string;
  readonly roles: readonly Role[];
  readonly tokenId: string;
  readonly scopes: readonly Permission[] | null;
}

/** The product itself: a job, a door, the first start. */
export interface SystemActor extends Scoped {
  readonly kind: 'system';
  /** `job:<name>`, `door:<name>` or `setup`. */
  readonly id: string;
  readonly name: string;
}

/** Who acts. Never null: an unauthenticated request has no actor and reaches no command. */
export type Actor = UserActor | ServiceActor | SystemActor;

/** The product acting in a scope. */
export const systemActor = (
  id: `job:${string}` | `door:${string}` | 'setup',
  scope: { organizationId?: string | null; workspaceId?: string | null } = {},
): SystemActor => ({
  kind: 'system',
  id,
  name: id,
  organizationId: scope.organizationId ?? null,
  workspaceId: scope.workspaceId ?? null,
});

/** The roles under which an actor is judged. */
export const rolesOf = (actor: Actor): readonly (Role | 'system')[] =>
  actor.kind === 'system' ? ['system'] : actor.roles;
