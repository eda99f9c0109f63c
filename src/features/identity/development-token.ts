import { systemActor, type Role } from '../../kernel/actor.js';
import type { RunCommand } from '../../kernel/command.js';
import type { Db } from '../../kernel/db.js';
import { AppError } from '../../kernel/errors.js';
import { asSystem } from '../../kernel/system.js';
import { issueTokenForDevelopment } from './identity.commands/api-tokens.js';

interface Place {
  readonly user_id: string;
  readonly workspace_id: string;
  readonly organization_id: string;
}

const hour = 3_600_000;

/** The person who has this role and as few others as possible, in the oldest workspace. */
const holderOf = async (db: Db, role: Role): Promise<Place | undefined> => {
  const [place] = await asSystem(db, (tx) =>
    tx.sql<Place>(
      `select m.user_id, m.workspace_id, w.organization_id
         from member m join workspace w on w.id = m.workspace_id join app_user u on u.id = m.user_id
        where $1 = any(m.roles || m.roles_by_rule) and u.disabled_at is null
        order by w.id, cardinality(m.roles || m.roles_by_rule), m.id limit 1`,
      [role],
    ),
  );
  return place;
};

/** A token of one hour for the demo person of a role; refuses outside of development. */
export const issueDevelopmentToken = async (
  app: { readonly db: Db; readonly run: RunCommand },
  config: { readonly mode: 'development' | 'production' },
  role: Role,
): Promise<{ secret: string; expiresAt: Date }> => {
  if (config.mode !== 'development') {
    throw new AppError('FORBIDDEN', 'Development tokens are made in development mode only; sign in instead', {
      rule: 'development-only',
    });
  }
  const place = await holderOf(app.db, role);
  if (!place)
    throw new AppError(
      'NOT_FOUND',
      `Nobody has the role ${role} yet; start the server once, so that the demo is loaded`,
    );
  const actor = systemActor('setup', {
    workspaceId: place.workspace_id,
    organizationId: place.organization_id,
  });
  return app.run(issueTokenForDevelopment, actor, { userId: place.user_id, lifetimeMs: hour });
};
