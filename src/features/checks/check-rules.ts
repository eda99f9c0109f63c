import { z } from 'zod';
import type { ReadDb } from '../../kernel/db.js';
import type { EvidenceVerdict } from '../evaluations/index.js';
import { readCheckFacts, type CheckFacts, type CheckTarget } from './check-facts.js';
import type { CheckFinding, CheckRule } from './check-rule.js';
import { artifactScan } from './rules/artifact-scan.js';
import { cardComplete } from './rules/card-complete.js';
import { cardCompletePerFramework } from './rules/card-complete-per-framework.js';
import { dataDocumented } from './rules/data-documented.js';
import { drift } from './rules/drift.js';
import { explainability } from './rules/explainability.js';
import { fairnessThresholds } from './rules/fairness-thresholds.js';
import { licenceAndSupplyChain } from './rules/licence-and-supply-chain.js';
import { performanceVsChampion } from './rules/performance-vs-champion.js';
import { useCaseAssessed } from './rules/use-case-assessed.js';

/** Every check there is; a policy asks for some of them by name. */
export const checkRules: readonly CheckRule[] = [
  fairnessThresholds,
  performanceVsChampion,
  explainability,
  cardComplete,
  dataDocumented,
  licenceAndSupplyChain,
  drift,
  artifactScan,
  useCaseAssessed,
  ...cardCompletePerFramework,
];

const known = new Set(checkRules.map((one) => one.name));

/** The name of a check. */
export const checkName = z
  .string()
  .refine((name) => known.has(name), `must be a check: ${[...known].join(', ')}`);

/** The frameworks that checks of these names look at. */
export const frameworksOf = (names: readonly string[]): string[] =>
  checkRules.flatMap(({ name, framework }) =>
    framework !== undefined && names.includes(name) ? [framework] : [],
  );

/** The name of a check. */
export type CheckName = z.output<typeof checkName>;

/** Where the evidence of a check comes from; NONE when it rests on none. */
export type CheckProvenance = 'COMPUTED' | 'SUBMITTED' | 'NONE';

/** A check with what it found. */
export interface CheckResult extends CheckFinding {
  readonly rule: CheckRule;
  readonly provenance: CheckProvenance;
}

/** One piece that was sent from elsewhere makes the whole as good as that. */
const provenanceOf = (facts: CheckFacts, { evidenceIds }: CheckFinding): CheckProvenance => {
  const all = [...facts.evidence.values(), ...(facts.champion?.evidence.values() ?? [])];
  const used = all.filter((one) => evidenceIds.includes(one.id));
  if (used.length === 0) return 'NONE';
  return used.every((one) => one.provenance === 'COMPUTED') ? 'COMPUTED' : 'SUBMITTED';
};

/** Judges every check over facts that were read before; of frameworks, those that the facts were read for. */
export const judgeChecks = (facts: CheckFacts): CheckResult[] =>
  checkRules
    .filter(({ framework }) => framework === undefined || facts.frameworks.has(framework))
    .map((rule) => {
      const found = rule.judge(facts);
      return { rule, ...found, provenance: provenanceOf(facts, found) };
    });

/** A check as it is shown. */
export interface CheckView {
  readonly name: string;
  readonly title: string;
  readonly describe: string;
  readonly verdict: EvidenceVerdict;
  readonly message: string;
  readonly evidenceIds: readonly string[];
  readonly provenance: CheckProvenance;
  readonly permission: string;
}

/** Every check of a version in a use case as it stands now. */
export const checksOf = async (db: ReadDb, target: CheckTarget, now: Date): Promise<CheckView[]> =>
  judgeChecks(await readCheckFacts(db, { ...target, frameworks: frameworksOf([...known]) }, now)).map(
    ({ rule, ...found }) => ({
      name: rule.name,
      title: rule.title,
      describe: rule.describe,
      permission: rule.permission,
      ...found,
    }),
  );
