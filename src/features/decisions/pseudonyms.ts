import { invalidInput } from '../../kernel/errors.js';
import { namesPerson } from './guardrails/personal-data.js';

/** What a caller chose to call a person and a case. Both stay readable for ever, so neither may say who it is. */
interface References {
  readonly subjectRef?: string | null | undefined;
  readonly idempotencyKey: string;
}

/** Refuses references that look like personal data; `prefix` leads to them in the input. */
export const requirePseudonyms = ({ subjectRef, idempotencyKey }: References, prefix: string): void => {
  if (namesPerson(subjectRef ?? '')) {
    throw invalidInput('The subject reference looks like personal data; send a pseudonym', [
      { path: `${prefix}subjectRef`, message: 'must be a pseudonym' },
    ]);
  }
  if (namesPerson(idempotencyKey)) {
    throw invalidInput('The idempotency key looks like personal data; send an id of the case', [
      { path: `${prefix}idempotencyKey`, message: 'must say nothing of the person' },
    ]);
  }
};
