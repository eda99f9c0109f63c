import { systemActor } from '../../kernel/actor.js';
import type { RunCommand } from '../../kernel/command.js';
import type { Db } from '../../kernel/db.js';
import { asSystem } from '../../kernel/system.js';
import { recognisePerson } from './identity.commands/people.js';
import { applyRoleRules } from './identity.commands/role-rules.js';
import { beginSession } from './identity.commands/sessions.js';
import type { VouchedPerson } from './oidc.js';
import { newCookie, sealHint, type SessionTimes } from './sessions.js';

interface Affected {
  readonly workspace_id: string;
  readonly organization_id: string;
}

/** The workspaces in which rules give the person something else than they have. */
const affectedQuery = `
with wanted as (
  select workspace_id, array_agg(distinct role order by role) as roles
    from role_rule where group_name = any($2) group by workspace_id
), held as (
  select workspace_id, array(select distinct unnest(roles_by_rule) order by 1) as roles
    from member where user_id = $1
)
select w.id as workspace_id, w.organization_id
  from workspace w left join wanted on wanted.workspace_id = w.id left join held on held.workspace_id = w.id
 where coalesce(wanted.roles, '{}') <> coalesce(held.roles, '{}')
   and (wanted.workspace_id is not null or held.workspace_id is not null)
 order by w.id`;

interface Parts {
  readonly db: Db;
  readonly run: RunCommand;
  readonly session: SessionTimes;
}

/** Each workspace keeps the change of roles in its own trail. */
const applyRules = async ({ db, run }: Parts, userId: string, groups: readonly string[]): Promise<void> => {
  const { named, affected } = await asSystem(db, async (tx) => ({
    named: await tx.sql<{ group_name: string }>(
      'select distinct group_name from role_rule where group_name = any($1)',
      [groups],
    ),
    affected: await tx.sql<Affected>(affectedQuery, [userId, groups]),
  }));
  const known = named.map((row) => row.group_name);
  for (const { workspace_id: workspaceId, organization_id: organizationId } of affected) {
    const actor = systemActor('door:sign-in', { workspaceId, organizationId });
    await run(applyRoleRules, actor, { userId, groups: known });
  }
};

/** A session that has begun: what the browser is given. */
export interface Admission {
  readonly cookie: string;
  readonly expiresAt: Date;
}

/** Lets a person in whom the provider vouches for: recognised, with the roles of their groups, in a new session. */
export const admit = async (
  parts: Parts,
  person: VouchedPerson,
  request: { readonly userAgent: string | null; readonly fresh: boolean; readonly replaces: string | null },
): Promise<Admission> => {
  const { issuer, subject, displayName, email, groups, idToken } = person;
  const door = systemActor('door:sign-in');
  const { id: userId } = await parts.run(recognisePerson, door, { issuer, subject, displayName, email });
  // Before the session begins, so that it never works with roles that are gone.
  await applyRules(parts, userId, groups);
  const { cookie, hash } = newCookie();
  const { expiresAt } = await parts.run(beginSession, door, {
    userId,
    cookieHash: hash.toString('base64'),
    idTokenHint: sealHint(cookie, idToken),
    userAgent: request.userAgent,
    // A provider that does not say when the person signed in cannot make a sign-in fresh.
    authenticatedAt: person.authenticatedAt ?? new Date(0),
    fresh: request.fresh,
    absoluteMs: parts.session.absoluteMs,
    replaces: request.replaces,
  });
  return { cookie, expiresAt };
};
