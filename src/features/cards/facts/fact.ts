import { z } from 'zod';

/** What the registry can know about a version in a use case, by name. */
export const factName = z.enum([
  'model.name',
  'model.kind',
  'model.description',
  'version.number',
  'version.description',
  'version.digest',
  'version.artifacts',
  'version.registered',
  'version.aliases',
  'version.tags',
  'version.licence',
  'version.params',
  'version.metrics',
  'version.software',
  'version.family',
  'version.excludedInputs',
  'version.signature',
  'version.trail',
  'lineage.run',
  'lineage.codeCommit',
  'lineage.datasets',
  'lineage.parent',
  'lineage.previous',
  'lineage.changes',
  'useCase.owners',
  'useCase.described',
  'useCase.risk',
  'useCase.endpoints',
  'evidence.PERFORMANCE',
  'evidence.FAIRNESS',
  'evidence.ATTRIBUTION',
  'evidence.slices',
  'evidence.impactRatios',
  'approvals.decisions',
  'approvals.findings',
]);

/** One name of the closed list. */
export type FactName = z.output<typeof factName>;

/** Something known, with what it rests on, who said so, and when. */
export interface Fact {
  readonly value: unknown;
  readonly evidence: string | null;
  readonly by: string | null;
  readonly at: string | null;
}

/** What is known, by name; what is missing is unknown. */
export type Facts = Readonly<Partial<Record<FactName, Fact | undefined>>>;

/** What facts are asked about: a version in a use case, as things were at a time. */
export interface Place {
  readonly versionId: string;
  readonly useCaseId: string;
  readonly at: Date;
}

const isNothing = (value: unknown): boolean => value === null || value === undefined || value === '';

/** A fact, or none where nothing is known. */
export const factOf = (
  value: unknown,
  source: { readonly by?: string | null; readonly at?: Date | null; readonly evidence?: string | null } = {},
): Fact | undefined =>
  isNothing(value)
    ? undefined
    : {
        value,
        evidence: source.evidence ?? null,
        by: source.by ?? null,
        at: source.at?.toISOString() ?? null,
      };

/** A list or an object as far as it holds anything: empty ones say nothing. */
export const filled = <Value extends object>(value: Value | null | undefined): Value | null =>
  value && Object.keys(value).length > 0 ? value : null;
