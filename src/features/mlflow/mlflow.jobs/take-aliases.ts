import { defineReaction } from '../../../kernel/job.js';
import { recordIntake } from '../../registry/index.js';
import { takeAlias } from '../mlflow.commands/take-alias.js';
import { aliasesWaiting } from '../mlflow.queries/imports.js';

/** An alias of another server that waited for its version to pass intake is set now, unless it is protected. */
export const takeAliases = defineReaction({
  name: 'mlflow.takeAliases',
  follows: [recordIntake],
  attempts: 8,
  handle: async ({ payload, ask, run, actor }) => {
    for (const { kind, id } of payload.subjects) {
      if (kind !== 'modelVersion') continue;
      const waiting = await ask(aliasesWaiting, actor, { versionId: id });
      for (const name of waiting.names) {
        await run(takeAlias, actor, { modelId: waiting.modelId, name, versionId: id });
      }
    }
  },
});
