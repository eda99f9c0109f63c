import { systemActor } from '../kernel/actor.js';
import type { RunCommand } from '../kernel/command.js';
import type { Db } from '../kernel/db.js';
import { asSystem } from '../kernel/system.js';
import { createRoleRule, enrolPerson } from '../features/identity/index.js';
import { createOrganization, createWorkspace } from '../features/workspaces/index.js';
import { demoOrganization, demoPeople, demoWorkspace } from './people.js';

interface Place {
  readonly id: string;
  readonly organization_id: string;
}

const find = async (db: Db): Promise<Place | undefined> => {
  const [place] = await asSystem(db, (tx) =>
    tx.sql<Place>(
      `select w.id, w.organization_id from workspace w join organization o on o.id = w.organization_id
        where o.slug = $1 and w.slug = $2`,
      [demoOrganization.slug, demoWorkspace.slug],
    ),
  );
  return place;
};

const rulesSet = async (db: Db, workspaceId: string): Promise<ReadonlySet<string>> => {
  const rows = await asSystem(db, (tx) =>
    tx.sql<{ group_name: string }>('select group_name from role_rule where workspace_id = $1', [workspaceId]),
  );
  return new Set(rows.map((row) => row.group_name));
};

const createPlace = async (run: RunCommand): Promise<void> => {
  const organization = await run(createOrganization, systemActor('setup'), demoOrganization);
  await run(createWorkspace, systemActor('setup', { organizationId: organization.id }), demoWorkspace);
};

/**
 * Makes the demo's organization, workspace, role rules and people, whatever of them is missing. What stands above
 * workspaces cannot be made by anybody who signs in, so the product itself does it, and the trail says so.
 */
export const setUpDemo = async (
  app: { readonly db: Db; readonly run: RunCommand },
  issuer: string,
): Promise<void> => {
  if (!(await find(app.db))) await createPlace(app.run);
  const place = await find(app.db);
  if (!place) throw new Error('The workspace of the demo could not be made');
  const actor = systemActor('setup', { organizationId: place.organization_id, workspaceId: place.id });
  const known = await rulesSet(app.db, place.id);
  for (const { role, group, sub, name, email } of demoPeople) {
    if (!known.has(group)) await app.run(createRoleRule, actor, { group, role });
    // So that `dev:token` works before anybody has signed in; signing in finds the same person.
    const memberships = [{ workspaceId: place.id, roles: [role] }];
    await app.run(enrolPerson, systemActor('setup'), {
      issuer,
      subject: sub,
      displayName: name,
      email,
      memberships,
    });
  }
};
