import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { canonicalBytes } from '../../kernel/audit.js';
import { installationRoot } from '../../kernel/root.js';
import { evidenceKind, type EvidenceKind } from '../evaluations/index.js';
import { cardFields } from './card-fields.js';
import type { CardFieldView, CardView } from './read-card.js';

const sentence = z.string().min(1).max(300);
const names = z.array(z.string().min(1).max(64)).max(20).default([]);

const requirement = z
  .strictObject({
    id: z.string().min(1).max(100),
    text: sentence,
    mandatory: z.boolean().default(true),
    /** Fields that must all be known. */
    fields: names,
    /** Fields of which one must be known. */
    anyOf: names,
    /** Evidence that must be there and not out of date. */
    evidence: z.array(evidenceKind).max(3).default([]),
    /** Attributes by which the evidence of fairness must have groups. */
    groups: names,
  })
  .refine((one) => one.fields.length + one.anyOf.length + one.evidence.length > 0, 'asks for nothing');

const pack = z.strictObject({
  schema: z.literal('countersign.framework/1'),
  id: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/),
  edition: z.int().min(1),
  title: sentence,
  source: sentence,
  requirements: z
    .array(requirement)
    .min(1)
    .max(200)
    .refine((list) => new Set(list.map((one) => one.id)).size === list.length, 'names a requirement twice'),
});

/** One thing that a framework asks for. */
export type Requirement = z.output<typeof requirement>;

/** What a framework asks of a card, in an edition, with the digest of the pack. */
export type FrameworkPack = z.output<typeof pack> & { readonly sha256: string };

/** Reads a pack; refuses one that names fields that no card has. */
export const readPack = (text: string): FrameworkPack => {
  const document = pack.parse(parse(text));
  const known = new Set(cardFields().map((field) => field.name));
  const asked = document.requirements.flatMap((one) => [...one.fields, ...one.anyOf]);
  const strange = asked.find((name) => !known.has(name));
  if (strange !== undefined)
    throw new Error(`The framework ${document.id} asks for ${strange}, which no card has`);
  return { ...document, sha256: createHash('sha256').update(canonicalBytes(document)).digest('hex') };
};

let known: readonly FrameworkPack[] | undefined;

/** The packs in `reports/frameworks`, by name. */
export const frameworkPacks = (): readonly FrameworkPack[] => {
  const folder = join(installationRoot, 'reports', 'frameworks');
  known ??= readdirSync(folder)
    .filter((file) => file.endsWith('.yaml'))
    .sort()
    .map((file) => readPack(readFileSync(join(folder, file), 'utf8')));
  return known;
};

/** Something that is missing for a requirement, and how it comes. */
export interface Gap {
  /** The field; for evidence that is missing or old, its kind. */
  readonly name: string;
  readonly label: string;
  readonly howToFill: string;
}

/** How a card answers to one requirement. */
export interface RequirementResult {
  readonly id: string;
  readonly text: string;
  readonly mandatory: boolean;
  /** MET: everything is known. PARTLY: something is. MISSING: nothing is. */
  readonly state: 'MET' | 'PARTLY' | 'MISSING';
  readonly fields: readonly string[];
  /** Evidence that it rests on. */
  readonly evidence: readonly string[];
  readonly missing: readonly Gap[];
}

/** How a card answers to a framework. */
export interface FrameworkResult {
  readonly framework: string;
  readonly title: string;
  readonly source: string;
  readonly edition: number;
  readonly sha256: string;
  readonly status: 'COMPLETE' | 'INCOMPLETE';
  /** Share of the mandatory requirements that are met. */
  readonly score: number;
  readonly met: number;
  readonly mandatory: number;
  readonly requirements: readonly RequirementResult[];
  /** What is missing for mandatory requirements, once each. */
  readonly missingMandatory: readonly Gap[];
}

type Lookup = ReadonlyMap<string, CardFieldView>;

const isKnown = (fields: Lookup, name: string): boolean =>
  (fields.get(name)?.source ?? 'UNKNOWN') !== 'UNKNOWN';

const gapOf = (fields: Lookup, name: string): Gap => {
  const field = fields.get(name);
  return { name, label: field?.label ?? name, howToFill: field?.howToFill ?? '' };
};

const fieldGaps = ({ fields: all, anyOf }: Requirement, fields: Lookup): Gap[] => {
  const missing = all.filter((name) => !isKnown(fields, name));
  const none = anyOf.every((name) => !isKnown(fields, name)) ? anyOf : [];
  return [...missing, ...none].map((name) => gapOf(fields, name));
};

const fieldOfKind: Readonly<Record<EvidenceKind, string>> = {
  PERFORMANCE: 'performance',
  FAIRNESS: 'fairness',
  ATTRIBUTION: 'attribution',
  DRIFT: 'drift',
};

const standing = z.object({ verdict: z.string() });

const evidenceGaps = ({ evidence }: Requirement, fields: Lookup): Gap[] =>
  evidence.flatMap((kind) => {
    const field = fields.get(fieldOfKind[kind]);
    const found = standing.safeParse(field?.value);
    if (found.success && found.data.verdict !== 'STALE') return [];
    const what = found.success ? 'is out of date' : 'is missing';
    const howToFill = `Evidence of ${kind.toLowerCase()} ${what}: start an evaluation with \`startEvaluation\`.`;
    return [{ name: kind, label: field?.label ?? kind, howToFill }];
  });

const ratios = z.object({ rows: z.array(z.object({ attribute: z.string() })) });

const groupGaps = ({ groups }: Requirement, fields: Lookup): Gap[] => {
  const field = fields.get('impactRatios');
  const found = ratios.safeParse(field?.value).data?.rows.map((row) => row.attribute) ?? [];
  return groups
    .filter((attribute) => !found.includes(attribute))
    .map((attribute) => ({
      name: 'impactRatios',
      label: `Impact ratios by ${attribute}`,
      howToFill: `Start an evaluation over data that has the groups by ${attribute}.`,
    }));
};

const resultOf = (one: Requirement, fields: Lookup): RequirementResult => {
  const asked = [...one.fields, ...one.anyOf];
  const missing = [...fieldGaps(one, fields), ...evidenceGaps(one, fields), ...groupGaps(one, fields)];
  const some = asked.some((name) => isKnown(fields, name));
  const rests = [...asked, ...one.evidence.map((kind) => fieldOfKind[kind])].flatMap((name) => {
    const id = fields.get(name)?.evidence ?? null;
    return id === null ? [] : [id];
  });
  return {
    id: one.id,
    text: one.text,
    mandatory: one.mandatory,
    state: missing.length === 0 ? 'MET' : some ? 'PARTLY' : 'MISSING',
    fields: asked,
    evidence: [...new Set(rests)],
    missing,
  };
};

const once = (gaps: readonly Gap[]): Gap[] =>
  gaps.filter((gap, index) => gaps.findIndex((one) => one.label === gap.label) === index);

/** How a card answers to a framework: a score, and everything that is missing with the way to it. */
export const assessFramework = (
  { id, title, source, edition, sha256, requirements }: FrameworkPack,
  card: Pick<CardView, 'fields'>,
): FrameworkResult => {
  const fields = new Map(card.fields.map((field) => [field.name, field]));
  const results = requirements.map((one) => resultOf(one, fields));
  const mandatory = results.filter((one) => one.mandatory);
  const met = mandatory.filter((one) => one.state === 'MET').length;
  return {
    framework: id,
    title,
    source,
    edition,
    sha256,
    status: met === mandatory.length ? 'COMPLETE' : 'INCOMPLETE',
    // Never rounded up to 1 while something is missing.
    score: Math.floor((met / Math.max(1, mandatory.length)) * 1000) / 1000,
    met,
    mandatory: mandatory.length,
    requirements: results,
    missingMandatory: once(mandatory.flatMap((one) => one.missing)),
  };
};
