import { invalidInput } from '../../../kernel/errors.js';
import { stageNamed, stages, type Stage } from '../../registry/index.js';

/** The stage that a client means, in whatever case. */
export const stageOf = (text: string): Stage => {
  const stage = stageNamed(text);
  if (stage !== null) return stage;
  throw invalidInput(
    `Invalid Model Version stage: ${text.slice(0, 100)}. Value must be one of ${stages.join(', ')}.`,
    [{ path: 'stage', message: 'is not a stage' }],
  );
};
