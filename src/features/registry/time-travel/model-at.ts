import { z } from 'zod';
import { notFound } from '../../../kernel/errors.js';
import { defineQuery } from '../../../kernel/query.js';
import { foldName } from '../names.js';
import { cardsThen, requestsThen, type CardThen, type RequestThen } from './from-trail.js';
import {
  aliasesThen,
  modelThen,
  policyThen,
  stagesThen,
  type AliasThen,
  type ModelThen,
  type PolicyThen,
  type StageThen,
} from './pointers.js';

/** A model as it was at a time. */
export interface ModelAt extends ModelThen {
  readonly time: Date;
  readonly aliases: readonly (AliasThen & { readonly card: CardThen | null })[];
  readonly stages: readonly StageThen[];
  readonly policy: PolicyThen;
  /** What had moved the aliases that stood, and what waited. */
  readonly requests: readonly RequestThen[];
}

export const modelAt = defineQuery({
  name: 'model.at',
  describe:
    'What a name meant at a time: aliases, stages, cards, policy and approvals of that moment, and its tombstone if it was deleted. Itself recorded.',
  permission: 'audit:read',
  input: z.object({
    name: z.string().min(1).max(1000).describe('As the model was called at that time.'),
    time: z.date(),
  }),
  recordAccess: ({ name, time }, { modelId }: ModelAt) => ({
    subject: { kind: 'model', id: modelId },
    facts: { name, time: time.toISOString() },
  }),
  handle: async ({ db, input: { name, time } }): Promise<ModelAt> => {
    const model = await modelThen(db, foldName(name), time);
    if (!model) throw notFound(`A model that was called ${name} at ${time.toISOString()}`);
    const { modelId } = model;
    const aliases = await aliasesThen(db, modelId, time);
    const places = aliases.flatMap(({ versionId, useCaseId }) =>
      useCaseId === null ? [] : [{ versionId, useCaseId }],
    );
    const cards = await cardsThen(db, places, time);
    const moved = aliases.flatMap(({ changeRequestId }) => changeRequestId ?? []);
    return {
      ...model,
      time,
      aliases: aliases.map((alias) => ({
        ...alias,
        card:
          cards.find((card) => card.versionId === alias.versionId && card.useCaseId === alias.useCaseId) ??
          null,
      })),
      stages: await stagesThen(db, modelId, time),
      policy: await policyThen(db, time),
      requests: await requestsThen(db, modelId, moved, time),
    };
  },
});
