import { z } from 'zod';
import { isRole, type Actor } from '../../../kernel/actor.js';
import { defineCommand, nothingChanged } from '../../../kernel/command.js';
import type { Tx } from '../../../kernel/db.js';
import { AppError, conflict, notFound } from '../../../kernel/errors.js';
import { newId } from '../../../kernel/id.js';
import { AppUser, Member } from '../../workspaces/index.js';
import { endSessions } from '../sessions.js';
import { revokeTokensOf } from './revocation.js';

const person = {
  issuer: z.string().min(1).max(500),
  subject: z.string().min(1).max(255),
  displayName: z.string().trim().min(1).max(200),
  email: z.string().max(320).nullable(),
};

const roleList = z.array(z.string().refine(isRole, 'is not a role')).max(20);
const personRoles = roleList.refine(
  (roles) => !roles.includes('service'),
  'service belongs to service accounts',
);

const membership = z.object({ workspaceId: z.uuid(), roles: roleList });

type Membership = z.output<typeof membership>;

interface PersonInput {
  readonly issuer: string;
  readonly subject: string;
  readonly displayName: string;
  readonly email: string | null;
}

const upsertMember = async (tx: Tx, userId: string, given: Membership, now: Date): Promise<void> => {
  const { roles } = given;
  const existing = await tx.lock(Member, { workspaceId: given.workspaceId, userId });
  if (existing) {
    await tx.update(Member, { id: existing.id }, { rolesByRule: roles });
    return;
  }
  const row = {
    id: newId(),
    workspaceId: given.workspaceId,
    userId,
    roles: [],
    rolesByRule: roles,
    createdAt: now,
  };
  await tx.insert(Member, row);
};

/** The person of this issuer and subject; made, when two sign-ins at once are the first, by only one of them. */
const ensurePerson = async (
  tx: Tx,
  { issuer, subject, displayName, email }: PersonInput,
  now: Date,
): Promise<AppUser> => {
  const known = await tx.lock(AppUser, { issuer, subject });
  if (known) return known;
  await tx.sql(
    `insert into app_user (id, issuer, subject, display_name, email, created_at) values ($1, $2, $3, $4, $5, $6)
     on conflict (issuer, subject) do nothing`,
    [newId(), issuer, subject, displayName, email, now],
  );
  const made = await tx.lock(AppUser, { issuer, subject });
  if (!made) throw new Error('The person could not be stored');
  return made;
};

/** Makes a person known by issuer and subject, with the roles that rules give. */
export const enrolPerson = defineCommand({
  name: 'user.enrol',
  describe: 'Makes a person known, with the roles that rules give.',
  permission: 'member:manage',
  scope: 'installation',
  input: z.object({ ...person, memberships: z.array(membership).max(100) }),
  target: async (tx, input, actor) => {
    const known = await tx.lock(AppUser, { issuer: input.issuer, subject: input.subject });
    if (actor.kind !== 'system')
      throw new AppError('FORBIDDEN', 'People are made known by signing in', { rule: 'sign-in' });
    return { id: known?.id ?? '' };
  },
  handle: async ({ tx, input, now }) => {
    const { issuer, subject, displayName, email } = input;
    const { id } = await ensurePerson(tx, input, now);
    await tx.update(AppUser, { id }, { displayName, email });
    for (const given of input.memberships) await upsertMember(tx, id, given, now);
    return {
      result: { id },
      audit: {
        subject: { kind: 'user', id },
        facts: { issuer, memberships: input.memberships },
        personal: { subjectId: id, data: { subject, displayName, email } },
      },
    };
  },
});

/** Recognises who signs in by issuer and subject; refuses the disabled. */
export const recognisePerson = defineCommand({
  name: 'user.recognise',
  describe: 'Recognises who signs in, or makes them known; refuses people who are disabled.',
  permission: 'session:create',
  scope: 'installation',
  input: z.object(person),
  target: async (tx, input) => {
    const known = await tx.lock(AppUser, { issuer: input.issuer, subject: input.subject });
    return { id: known?.id ?? newId(), known };
  },
  handle: async ({ tx, input, target: { known }, now }) => {
    const { issuer, subject, displayName, email } = input;
    if (known && known.disabledAt !== null) {
      throw new AppError('FORBIDDEN', 'This person is disabled here; an administrator can undo that', {
        rule: 'disabled',
      });
    }
    const same = known?.displayName === displayName && known.email === email;
    if (known && same) return { result: { id: known.id }, audit: nothingChanged };
    const { id } = await ensurePerson(tx, input, now);
    await tx.update(AppUser, { id }, { displayName, email });
    return {
      result: { id },
      audit: {
        subject: { kind: 'user', id },
        facts: { issuer, first: known === null },
        personal: { subjectId: id, data: { subject, displayName, email } },
      },
    };
  },
});

export const addMember = defineCommand({
  name: 'member.add',
  describe:
    'Takes a person who has signed in before into the workspace. They read their id on the start page.',
  permission: 'member:manage',
  scope: 'installation',
  input: z.object({ userId: z.uuid(), roles: personRoles }),
  target: async (tx, input, actor) => {
    if (actor.workspaceId === null) throw notFound('The workspace');
    const user = await tx.lock(AppUser, { id: input.userId });
    if (!user || user.disabledAt !== null)
      throw new AppError('NOT_FOUND', 'Nobody with this id has signed in');
    return { id: user.id, workspaceId: actor.workspaceId };
  },
  handle: async ({ tx, actor, input, target, now }) => {
    const { workspaceId } = target;
    if (actor.kind === 'user' && actor.id === target.id) {
      throw conflict('Nobody gives roles to themselves; ask another administrator', {
        rule: 'no-self-promotion',
      });
    }
    if (await tx.findOne(Member, { workspaceId, userId: target.id })) {
      throw conflict('This person is a member already; set their roles instead', { next: 'setMemberRoles' });
    }
    const id = newId();
    const { roles } = input;
    await tx.insert(Member, { id, workspaceId, userId: target.id, roles, rolesByRule: [], createdAt: now });
    return {
      result: { id },
      audit: {
        subject: { kind: 'member', id },
        changes: { userId: { from: null, to: target.id }, roles: { from: null, to: roles } },
      },
    };
  },
});

/** The person, if all workspaces they are in belong to the actor's organization; others look like nobody. */
const colleague = async (tx: Tx, userId: string, organizationId: string | null): Promise<AppUser> => {
  const user = await tx.lock(AppUser, { id: userId });
  const places = await tx.sql<{ organization_id: string }>(
    `select distinct w.organization_id from member m join workspace w on w.id = m.workspace_id where m.user_id = $1`,
    [userId],
  );
  const ours = places.some((place) => place.organization_id === organizationId);
  if (!user || organizationId === null || !ours) throw notFound('The person');
  if (places.length > 1) {
    throw conflict(
      'This person works for another organization too; take them out of your workspaces instead',
      {
        rule: 'shared-person',
      },
    );
  }
  return user;
};

/**
 * Shutting a person out reaches every workspace they work in, so it takes somebody who administers all of them; who
 * administers one takes them out of that one.
 */
const requireAdministratorEverywhere = async (tx: Tx, actor: Actor, userId: string): Promise<void> => {
  const foreign = await tx.sql(
    `select 1 from member m where m.user_id = $1 and not exists (
       select from member a where a.workspace_id = m.workspace_id and a.user_id::text = $2
          and 'administrator' = any(a.roles || a.roles_by_rule))`,
    [userId, actor.id],
  );
  if (foreign.length === 0) return;
  throw new AppError(
    'FORBIDDEN',
    'This person also works in a workspace that you do not administer; remove them from yours instead',
    { rule: 'administrator-everywhere', workspaces: foreign.length },
  );
};

const soleAdministratorOf = async (tx: Tx, userId: string): Promise<string | undefined> => {
  const [row] = await tx.sql<{ slug: string }>(
    `select w.slug from member m join workspace w on w.id = m.workspace_id
      where m.user_id = $1 and 'administrator' = any(m.roles || m.roles_by_rule)
        and not exists (select 1 from member o join app_user u on u.id = o.user_id
                         where o.workspace_id = m.workspace_id and o.user_id <> m.user_id and u.disabled_at is null
                           and 'administrator' = any(o.roles || o.roles_by_rule))
      limit 1`,
    [userId],
  );
  return row?.slug;
};

export const disableUser = defineCommand({
  name: 'user.disable',
  describe: 'Shuts a person out: their sessions and tokens end at once, and they cannot sign in.',
  permission: 'organization:manage',
  scope: 'installation',
  input: z.object({ userId: z.uuid(), reason: z.string().trim().min(1).max(2000) }),
  target: (tx, input, actor) => colleague(tx, input.userId, actor.organizationId),
  handle: async ({ tx, actor, input, target, now }) => {
    if (target.disabledAt !== null) throw conflict('This person is disabled already');
    if (actor.id === target.id) throw conflict('Nobody disables themselves', { rule: 'not-oneself' });
    await requireAdministratorEverywhere(tx, actor, target.id);
    const place = await soleAdministratorOf(tx, target.id);
    if (place !== undefined) {
      throw conflict(`The workspace ${place} would be left without an administrator`, {
        rule: 'last-administrator',
      });
    }
    await tx.update(AppUser, { id: target.id }, { disabledAt: now });
    const sessions = await endSessions(tx, { userId: target.id }, 'DISABLED', now);
    const tokens = await revokeTokensOf(tx, { userId: target.id }, now);
    return {
      result: { id: target.id },
      audit: {
        subject: { kind: 'user', id: target.id },
        changes: { disabledAt: { from: null, to: now } },
        facts: { reason: input.reason, endedSessions: sessions, revokedTokens: tokens },
      },
    };
  },
});

export const enableUser = defineCommand({
  name: 'user.enable',
  describe: 'Lets a disabled person sign in again. Their tokens stay revoked.',
  permission: 'organization:manage',
  scope: 'installation',
  input: z.object({ userId: z.uuid(), reason: z.string().trim().min(1).max(2000) }),
  target: (tx, input, actor) => colleague(tx, input.userId, actor.organizationId),
  handle: async ({ tx, actor, input, target }) => {
    await requireAdministratorEverywhere(tx, actor, target.id);
    if (target.disabledAt === null) throw conflict('This person is not disabled');
    await tx.update(AppUser, { id: target.id }, { disabledAt: null });
    return {
      result: { id: target.id },
      audit: {
        subject: { kind: 'user', id: target.id },
        changes: { disabledAt: { from: target.disabledAt, to: null } },
        facts: { reason: input.reason },
      },
    };
  },
});
