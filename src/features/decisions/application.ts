import type { EnsembleInput, EnsembleSignature } from '../../kernel/ensemble-manifest.js';
import { AppError, invalidInput, type FieldFault } from '../../kernel/errors.js';

/** Values of a model's inputs, by name. */
export type InputValues = Readonly<Record<string, number | string>>;

/** An application as the model reads it, and which inputs were not given. */
export interface NormalisedApplication {
  readonly inputs: InputValues;
  readonly unknown: readonly string[];
}

/** The category that stands for a missing value, where a model has one. */
export const unknownCategory = 'Unknown';

type Read = { readonly value: number | string; readonly isUnknown: boolean } | { readonly fault: string };

const plainDecimal = /^-?\d+(\.\d+)?$/;

const readNumber = (input: Extract<EnsembleInput, { kind: 'numeric' }>, raw: unknown): Read => {
  // Other notations (1e3, 0x10) are more often a mistake than meant.
  const value = typeof raw === 'string' && plainDecimal.test(raw.trim()) ? Number(raw) : raw;
  if (typeof value !== 'number' || !Number.isFinite(value)) return { fault: 'must be a number' };
  if (input.integer && !Number.isInteger(value)) return { fault: 'must be a whole number' };
  if (value < input.min || value > input.max) {
    return { fault: `must lie between ${String(input.min)} and ${String(input.max)}` };
  }
  return { value, isUnknown: false };
};

const readCategory = (input: Extract<EnsembleInput, { kind: 'categorical' }>, raw: unknown): Read => {
  if (typeof raw !== 'string') return { fault: 'must be one of its categories, as text' };
  const value = raw.trim();
  if (input.categories.includes(value)) return { value, isUnknown: value === unknownCategory };
  return { fault: `must be one of ${input.categories.join(', ')}` };
};

const isMissing = (raw: unknown): boolean => raw === undefined || raw === null || raw === '' || raw === '?';

const readInput = (input: EnsembleInput, raw: unknown): Read => {
  if (isMissing(raw)) {
    if (input.kind === 'categorical' && input.categories.includes(unknownCategory)) {
      return { value: unknownCategory, isUnknown: true };
    }
    return { fault: 'is required' };
  }
  return input.kind === 'numeric' ? readNumber(input, raw) : readCategory(input, raw);
};

/** Names compare without case, spaces, dashes and underscores: `Marital status` is `marital_status`. */
const folded = (name: string): string =>
  name
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/[\s_-]/g, '');

/**
 * Holds an application against the inputs of a model. Refuses every field at fault by name; a feature that the model
 * excludes is refused with the exclusion, so that nobody believes it had been used.
 */
export const normaliseApplication = (
  signature: EnsembleSignature,
  application: Readonly<Record<string, unknown>>,
): NormalisedApplication => {
  const names = Object.keys(application);
  refuseExcluded(signature, names);
  const wanted = new Set(signature.inputs.map(({ name }) => name));
  const faults: FieldFault[] = names
    .filter((name) => !wanted.has(name))
    .map((name) => ({ path: name, message: 'is no input of this model' }));
  const inputs: Record<string, number | string> = {};
  const unknown: string[] = [];
  for (const input of signature.inputs) {
    const read = readInput(input, application[input.name]);
    if ('fault' in read) faults.push({ path: input.name, message: read.fault });
    else {
      inputs[input.name] = read.value;
      if (read.isUnknown) unknown.push(input.name);
    }
  }
  const [first] = faults;
  if (first) throw invalidInput(`The application is not valid: ${first.path} ${first.message}`, faults);
  return { inputs, unknown };
};

const refuseExcluded = ({ excluded, inputs }: EnsembleSignature, names: readonly string[]): void => {
  const wanted = new Set(inputs.map(({ name }) => folded(name)));
  for (const name of names) {
    if (wanted.has(folded(name))) continue;
    const exclusion = excluded.find((one) => folded(one.name) === folded(name));
    if (!exclusion) continue;
    throw new AppError(
      'INVALID_INPUT',
      `${name} is excluded from this model and must not be sent: ${exclusion.reason}`,
      {
        rule: 'excluded-feature',
        fields: [{ path: name, message: exclusion.reason }],
      },
    );
  }
};

/** The values in the order of the inputs: numbers, and places of categories. */
export const valuesOf = (signature: Pick<EnsembleSignature, 'inputs'>, values: InputValues): number[] =>
  signature.inputs.map((input) => {
    const value = values[input.name];
    return input.kind === 'numeric' ? Number(value) : input.categories.indexOf(String(value));
  });
