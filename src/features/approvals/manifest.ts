import { z } from 'zod';
import { sha256Of } from './policy-document.js';

const manifestSchema = z.object({
  schema: z.literal('countersign.change-manifest/1'),
  kind: z.string(),
  entries: z.record(z.string(), z.unknown()),
});

/**
 * What people approve, entry by entry, so that a difference can name what changed: `version.to`, `card.intendedUse`,
 * `evidence.FAIRNESS`, `policy`. Its sha256 is what an approval is bound to.
 */
export type Manifest = Readonly<z.output<typeof manifestSchema>>;

/** Reads a manifest as it was stored. */
export const readManifest = (stored: object): Manifest => manifestSchema.parse(stored);

/** An entry of the kind `evidence.*`. */
export interface EvidenceEntry {
  readonly id: string | null;
  readonly verdict: 'PASS' | 'FAIL' | 'MISSING' | 'STALE';
  readonly resultSha256: string | null;
  readonly provenance?: 'COMPUTED' | 'SUBMITTED';
  readonly required: boolean;
}

/** An entry of the kind `check.*`. */
export interface CheckEntry {
  readonly verdict: EvidenceEntry['verdict'];
  readonly required: boolean;
}

/** One entry that is not what it was. */
export interface Difference {
  readonly entry: string;
  readonly from: unknown;
  readonly to: unknown;
}

/** The sha256 over the manifest in canonical form (RFC 8785). */
export const digestOf = (manifest: Manifest): string => sha256Of(manifest);

/** Every entry that differs, in the order of the names. */
export const differencesOf = (before: Manifest, after: Manifest): Difference[] => {
  const names = [...new Set([...Object.keys(before.entries), ...Object.keys(after.entries)])].sort();
  return names
    .map((entry) => ({ entry, from: before.entries[entry] ?? null, to: after.entries[entry] ?? null }))
    .filter(({ from, to }) => sha256Of({ value: from }) !== sha256Of({ value: to }));
};

/** Whether a value is what a manifest says of evidence or of a check. */
export const isVerdict = (value: unknown): value is CheckEntry =>
  typeof value === 'object' && value !== null && 'verdict' in value && 'required' in value;

/**
 * Whether a difference takes the ground from under the approvals. Everything does, except evidence and checks that are
 * newer but no worse: approvals stand on the verdict that the rules require, and only its loss matters.
 */
export const voids = ({ entry, from, to }: Difference): boolean => {
  if (!/^(evidence|check)\./.test(entry)) return true;
  if (!isVerdict(to)) return true;
  if (!to.required) return false;
  const passedBefore = isVerdict(from) && from.verdict === 'PASS';
  return passedBefore && to.verdict !== 'PASS';
};

const isCardField = (value: unknown): value is { value: string; source: string } =>
  typeof value === 'object' &&
  value !== null &&
  Object.keys(value).sort().join() === 'source,value' &&
  Object.values(value).every((one) => typeof one === 'string');

const cut = (text: string): string => (text.length > 160 ? `${text.slice(0, 157).toWellFormed()}…` : text);

/** As people read it: the words of the card, and whether somebody stands for them. */
const shown = (value: unknown): string => {
  if (isCardField(value)) return `“${cut(value.value)}” (${value.source.toLowerCase()})`;
  return cut(typeof value === 'string' ? value : JSON.stringify(value));
};

/** A sentence that names each entry, its old and its new value. */
export const sentenceOf = (differences: readonly Difference[]): string =>
  differences.map(({ entry, from, to }) => `${entry} changed from ${shown(from)} to ${shown(to)}`).join('; ');
