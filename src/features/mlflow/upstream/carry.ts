import type { Actor } from '../../../kernel/actor.js';
import type { RunCommand } from '../../../kernel/command.js';
import type { ModelServer } from '../../../kernel/model-server.js';
import type { AskQuery } from '../../../kernel/query.js';
import { stageNamed } from '../../registry/index.js';
import { compareUpstream } from '../mlflow.commands/differences.js';
import { isSameVersion } from '../mlflow.commands/take-version.js';
import { aliasStanding, type AliasStanding } from '../mlflow.queries/copies.js';
import { theirRefusal, theirVersion } from './reading.js';
import type { ToldVersion } from './told.js';

interface Carrier {
  readonly run: RunCommand;
  readonly ask: AskQuery;
  readonly actor: Actor;
}

const tell = async (server: ModelServer, path: string, input: Record<string, unknown>): Promise<void> => {
  const answer = await server.ask({ method: 'POST', path: `mlflow/${path}`, input });
  if (answer.status !== 200) throw theirRefusal(server, answer);
};

const write = async (server: ModelServer, at: AliasStanding, there: ToldVersion): Promise<void> => {
  const place = { name: at.model, version: String(at.version) };
  if (!there.aliases.includes(at.alias)) {
    await tell(server, 'registered-models/alias', { ...place, alias: at.alias });
  }
  const stage = stageNamed(at.alias);
  if (stage === null || stage === 'None' || there.current_stage === stage) return;
  const archive = stage === 'Staging' || stage === 'Production';
  await tell(server, 'model-versions/transition-stage', {
    ...place,
    stage,
    archive_existing_versions: archive,
  });
};

const mostRounds = 5;

/**
 * Lets an alias stand in the other server where it stands here. When it moved on meanwhile, that is written too, so
 * that what was asked for last is what stays. A version that is another one there is not named.
 */
export const carryAlias = async (
  { run, ask, actor }: Carrier,
  server: ModelServer,
  aliasId: string,
): Promise<void> => {
  for (let round = 0; round < mostRounds; round += 1) {
    const at = await ask(aliasStanding, actor, { aliasId });
    if (at === null) return;
    const there = await theirVersion(server, at.model, at.version);
    if (there === null || at.facts === null || !isSameVersion(at.facts, there)) {
      const what = `alias:${at.alias}`;
      const theirs = 'a version that was made anew, or is gone';
      await run(compareUpstream, actor, {
        modelId: at.modelId,
        address: server.address,
        about: [what],
        differences: [{ what, ours: `version ${String(at.version)}`, theirs }],
      });
      return;
    }
    await write(server, at, there);
    const after = await ask(aliasStanding, actor, { aliasId });
    if (after?.versionId === at.versionId) return;
  }
};
