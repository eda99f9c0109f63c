import { canonicalBytes } from '../../kernel/audit.js';
import type { CardFieldView, FieldSource } from './read-card.js';

/** What one side of a difference says. */
export interface Side {
  readonly value: unknown;
  readonly source: FieldSource;
  readonly by: string | null;
  readonly at: string | null;
}

/** One field in which two cards differ. */
export interface FieldDifference {
  readonly name: string;
  readonly label: string;
  readonly governed: boolean;
  readonly from: Side;
  readonly to: Side;
}

const sideOf = ({ value, source, by, at }: CardFieldView): Side => ({ value, source, by, at });

/** Whether two values are the same JSON, whatever the order of their keys. */
export const sameJson = (one: unknown, other: unknown): boolean =>
  canonicalBytes({ value: one }) === canonicalBytes({ value: other });

const isSame = (one: CardFieldView, other: CardFieldView): boolean =>
  one.source === other.source && sameJson(one.value, other.value);

/** Field by field, in the order of the card; who said it and when is no difference by itself. */
export const fieldDifferences = (
  before: readonly CardFieldView[],
  after: readonly CardFieldView[],
): FieldDifference[] =>
  after.flatMap((to) => {
    const from = before.find((one) => one.name === to.name);
    if (!from || isSame(from, to)) return [];
    const { name, label, governed } = to;
    return [{ name, label, governed, from: sideOf(from), to: sideOf(to) }];
  });

const longest = 160;

const shown = ({ value, source }: Side): string => {
  if (source === 'UNKNOWN') return 'unknown';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > longest ? `${text.slice(0, longest - 1).toWellFormed()}…` : text;
};

/** Each difference as a field with a short sentence; what is long is cut. */
export const sentencesOf = (
  differences: readonly FieldDifference[],
): { readonly field: string; readonly label: string; readonly change: string }[] =>
  differences.map(({ name, label, from, to }) => ({
    field: name,
    label,
    change: `from ${shown(from)} to ${shown(to)}`,
  }));
