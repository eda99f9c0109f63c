import { defineReaction } from '../../../kernel/job.js';
import { breakGlass, decideChange, executeChange, rollbackAlias } from '../../approvals/index.js';
import { setAlias } from '../../registry/index.js';
import { carryAlias } from '../upstream/carry.js';
import { frontFinder } from '../upstream/front.js';

/** An alias that moved here, through whatever door, moves in the server that we stand in front of. */
export const carryAliases = defineReaction({
  name: 'mlflow.carryAliases',
  follows: [setAlias, decideChange, executeChange, rollbackAlias, breakGlass],
  attempts: 12,
  timeoutMs: 120_000,
  handle: async (context) => {
    const { payload, ask, run, actor, outside } = context;
    const aliases = payload.subjects.filter(({ kind }) => kind === 'alias');
    if (aliases.length === 0) return;
    const server = await frontFinder(outside.modelServers)(ask, actor);
    if (server === null) return;
    for (const { id } of aliases) await carryAlias({ run, ask, actor }, server, id);
  },
});
