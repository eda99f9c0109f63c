import { invalidInput } from '../../kernel/errors.js';
import { governedFieldNames } from '../cards/index.js';
import { policyDocument, type PolicyDocument } from './policy-document.js';

/** Reads a proposed document; names every field at fault, also card fields that no card has. */
export const readProposedDocument = (raw: unknown): PolicyDocument => {
  const parsed = policyDocument.safeParse(raw);
  if (!parsed.success) {
    const fields = parsed.error.issues.map((one) => ({
      path: ['document', ...one.path].join('.'),
      message: one.message,
    }));
    throw invalidInput(
      `The policy is not valid. ${fields[0]?.path ?? ''}: ${fields[0]?.message ?? ''}`,
      fields,
    );
  }
  const known = governedFieldNames();
  const strange = parsed.data.rules.flatMap((rule, index) =>
    rule.cardFields
      .filter((name) => !known.has(name))
      .map((name) => ({
        path: `document.rules.${String(index)}.cardFields`,
        message: `${name} is not a governed field`,
      })),
  );
  if (strange.length > 0)
    throw invalidInput(`The policy is not valid. ${strange[0]?.message ?? ''}`, strange);
  return parsed.data;
};
