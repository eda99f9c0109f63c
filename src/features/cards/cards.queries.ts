import { z } from 'zod';
import { defineQuery } from '../../kernel/query.js';
import { useCaseOr404 } from '../usecases/index.js';
import { readCard, type CardView } from './read-card.js';

export const cardOf = defineQuery({
  name: 'card.read',
  describe: 'The card of a version in a use case: every field, known or not, and how complete it is.',
  permission: 'card:read',
  input: z.object({ versionId: z.uuid(), useCaseId: z.uuid() }),
  handle: async ({ db, input }): Promise<CardView> => {
    await useCaseOr404(db, input.useCaseId);
    return readCard(db, input.versionId, input.useCaseId);
  },
});
