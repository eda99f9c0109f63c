import { systemActor, type Actor, type SystemActor } from '../../../kernel/actor.js';
import type { ModelServer, ModelServers } from '../../../kernel/model-server.js';
import type { AskQuery } from '../../../kernel/query.js';
import { workspaceSlug } from '../mlflow.queries/copies.js';

/** The server that a workspace stands in front of, or null; a workspace keeps its slug, so it is asked once. */
export const frontFinder = ({
  front,
}: ModelServers): ((ask: AskQuery, actor: Actor) => Promise<ModelServer | null>) => {
  const known = new Map<string, boolean>();
  return async (ask, actor) => {
    const { workspaceId } = actor;
    if (front === null || workspaceId === null) return null;
    const is = known.get(workspaceId) ?? (await ask(workspaceSlug, asDoor(actor), {})) === front.workspace;
    if (known.size > 10_000) known.clear();
    known.set(workspaceId, is);
    return is ? front.server : null;
  };
};

/** The door itself, in the workspace of whoever stands before it. */
export const asDoor = ({ workspaceId, organizationId }: Actor): SystemActor =>
  systemActor('door:mlflow', { workspaceId, organizationId });
