import type { ReadDb } from '../../kernel/db.js';
import {
  frameworksOf,
  judgeChecks,
  readCheckFacts,
  type CheckFacts,
  type CheckResult,
} from '../checks/index.js';
import type { GovernedField } from '../cards/index.js';
import type { EvidenceKind } from '../evaluations/index.js';
import { overdueReview } from '../incidents/index.js';
import { lineageActors } from '../registry/index.js';
import {
  aliasFactsOf,
  evidenceEntries,
  overdueFindings,
  ownersSince,
  type AliasFacts,
  type AliasTarget,
} from './alias-facts.js';
import { demandsOfAlias, noDemands, type Asked, type Demands } from './demands.js';
import { digestOf, type EvidenceEntry } from './manifest.js';
import { environmentOf } from './policy-document.js';
import type { PolicyInForce } from './policy-in-force.js';
import { creatorsOf } from './service-people.js';
import { check, manifestOf, type Check, type Moment, type Situation } from './situation.js';

const askedFor = ({ mode, rules }: Asked<unknown>): Pick<Check, 'mode' | 'policyRules'> => ({
  mode,
  policyRules: rules,
});

const versionCheck = (facts: AliasFacts): Check => {
  if (facts.deleted) return check('version-ready', 'FAIL', 'The version or its model was deleted');
  if (facts.state === 'READY') return check('version-ready', 'PASS', 'The version passed intake');
  const state = facts.state === 'REJECTED' ? 'FAIL' : 'WAITING';
  return check('version-ready', state, `The version is ${facts.state}. ${facts.stateMessage}`.trim());
};

const evidenceSentence: Readonly<Record<EvidenceEntry['verdict'], string>> = {
  PASS: 'passed',
  FAIL: 'failed; a better version or another threshold of evaluation is needed',
  MISSING: 'is missing; start an evaluation',
  STALE: 'is out of date; start an evaluation',
};

const evidenceCheck = (asked: Asked<EvidenceKind>, entry: EvidenceEntry | undefined): Check => {
  const verdict = entry?.verdict ?? 'MISSING';
  const message = `Evidence of ${asked.item.toLowerCase()} ${evidenceSentence[verdict]}`;
  return {
    ...check(`evidence.${asked.item}`, verdict, message, 'evaluation:start'),
    ...askedFor(asked),
    evidenceId: entry?.id ?? null,
  };
};

const provenanceCheck = (asked: Asked<EvidenceKind>, entry: EvidenceEntry | undefined): Check => {
  const computed = entry?.provenance === 'COMPUTED';
  const named = `Evidence of ${asked.item.toLowerCase()}`;
  const state = computed ? 'PASS' : entry?.id ? 'FAIL' : 'MISSING';
  const message = computed
    ? `${named} was computed here`
    : `${named} must be computed here; what was sent from elsewhere does not do. Start an evaluation`;
  return {
    ...check(`provenance.${asked.item}`, state, message, 'evaluation:start'),
    ...askedFor(asked),
    evidenceId: entry?.id ?? null,
  };
};

const cardCheck = (asked: Asked<string>, field: GovernedField | undefined): Check => {
  const known = field !== undefined && field.source !== 'UNKNOWN';
  const message = known ? `The card says ${asked.item}` : `The card does not say ${asked.item} yet`;
  const state = known ? 'PASS' : 'MISSING';
  return { ...check(`card.${asked.item}`, state, message, 'card:update'), ...askedFor(asked) };
};

const namedCheck = (asked: Asked<string>, results: readonly CheckResult[]): Check => {
  const found = results.find((one) => one.rule.name === asked.item);
  const rule = `check.${asked.item}`;
  if (!found) return { ...check(rule, 'MISSING', 'There is no such check any more'), ...askedFor(asked) };
  return {
    ...check(rule, found.verdict, found.message, found.rule.permission),
    ...askedFor(asked),
    evidenceId: found.evidenceIds[0] ?? null,
  };
};

/** A check that rests on no evidence has no provenance to ask for. */
const checkProvenance = (asked: Asked<string>, results: readonly CheckResult[]): Check[] => {
  const found = results.find((one) => one.rule.name === asked.item);
  if (!found || found.provenance === 'NONE') return [];
  const computed = found.provenance === 'COMPUTED';
  const message = computed
    ? `The check ${asked.item} rests on what was computed here`
    : `The check ${asked.item} rests on evidence that was sent from elsewhere, which does not do. Start an evaluation`;
  const state = computed ? 'PASS' : 'FAIL';
  return [
    {
      ...check(`provenance.${asked.item}`, state, message, 'evaluation:start'),
      ...askedFor(asked),
      evidenceId: found.evidenceIds[0] ?? null,
    },
  ];
};

const coveredCheck = (demands: Demands): Check[] =>
  demands.rules.length === 0
    ? [check('rule', 'FAIL', 'No rule of the policy says what this move needs', 'policy:propose')]
    : [];

const findingsCheck = async (
  db: ReadDb,
  facts: AliasFacts,
  demands: Demands,
  now: Date,
): Promise<Check[]> => {
  const asked = demands.overdueFindings;
  if (!asked) return [];
  const overdue = await overdueFindings(db, facts, now);
  const [first] = overdue;
  const message = first
    ? `${String(overdue.length)} findings are overdue, the first is: ${first.title}. Resolve it`
    : 'No finding is overdue';
  const state = first ? 'FAIL' : 'PASS';
  return [{ ...check('findings-overdue', state, message, 'finding:resolve'), ...askedFor(asked) }];
};

const reviewCheck = async (db: ReadDb, facts: AliasFacts, now: Date): Promise<Check[]> => {
  const overdue = await overdueReview(db, facts.modelId, now);
  if (!overdue) return [];
  const message = `Somebody broke the glass, and the review was due at ${overdue.reviewDueAt.toISOString()}`;
  return [check('break-glass-review', 'FAIL', message, 'incident:review')];
};

const prefixed = (prefix: string, entries: Iterable<readonly [string, unknown]>): Record<string, unknown> =>
  Object.fromEntries([...entries].map(([name, value]) => [`${prefix}.${name}`, value]));

/** Whom nobody lets in: owners of the use case where the policy says so, and who stands behind a machine that asked. */
const barredBy = async (
  db: ReadDb,
  demands: Demands,
  { useCase }: AliasFacts,
  { since, requestedBy }: { readonly since: Date | undefined; readonly requestedBy: string | null },
): Promise<ReadonlyMap<string, string>> => {
  const behind = requestedBy === null ? [] : await creatorsOf(db, requestedBy);
  const made = behind.map((id) => [id, 'made the service account that asked'] as const);
  if (!demands.excluded.includes('use-case-owner')) return new Map(made);
  const former = since === undefined ? [] : await ownersSince(db, useCase.id, since);
  const why = 'owned the use case while the request was open';
  const owned = former.map((id) => [id, why] as const);
  return new Map([...made, ...owned, [useCase.ownerId, 'owns the use case']]);
};

interface Known {
  readonly facts: AliasFacts;
  readonly seen: CheckFacts;
  readonly results: readonly CheckResult[];
  readonly evidence: ReadonlyMap<EvidenceKind, EvidenceEntry>;
  readonly demands: Demands;
}

const entriesOf = ({ facts, seen, results, evidence, demands }: Known, environment: string): object => {
  const { useCase } = facts;
  const enforced = new Set(demands.checks.filter((one) => one.mode === 'ENFORCE').map((one) => one.item));
  const checks = results.map(
    ({ rule, verdict }) => [rule.name, { verdict, required: enforced.has(rule.name) }] as const,
  );
  return {
    model: facts.modelId,
    alias: facts.alias,
    environment,
    useCase: useCase.id,
    'useCase.purpose': useCase.purpose,
    'useCase.riskTier': useCase.riskTier,
    'useCase.owner': useCase.ownerId,
    'version.from': facts.from,
    'version.to': facts.to,
    whenStale: demands.whenStale,
    execution: demands.execution,
    ...prefixed('card', Object.entries(seen.card)),
    ...prefixed('evidence', evidence),
    ...prefixed('check', checks),
  };
};

const checksOf = ({ facts, seen, results, evidence, demands }: Known): Check[] => [
  ...coveredCheck(demands),
  versionCheck(facts),
  ...demands.evidence.map((asked) => evidenceCheck(asked, evidence.get(asked.item))),
  ...demands.computed.map((asked) => provenanceCheck(asked, evidence.get(asked.item))),
  ...demands.cardFields.map((asked) => cardCheck(asked, seen.card[asked.item])),
  ...demands.checks.map((asked) => namedCheck(asked, results)),
  ...demands.computedChecks.flatMap((asked) => checkProvenance(asked, results)),
];

/** Everything that decides on a move of an alias. */
export const aliasSituation = async (
  db: ReadDb,
  target: AliasTarget & { readonly requestedBy: string | null },
  policy: PolicyInForce,
  { now, since }: Moment,
): Promise<Situation> => {
  const facts = await aliasFactsOf(db, target);
  const { alias, useCase } = facts;
  const move = { alias, tier: useCase.riskTier, useCase: useCase.slug };
  const demands = demandsOfAlias(policy.document, move, facts.leftUse) ?? noDemands(policy.document);
  const frameworks = frameworksOf(demands.checks.map(({ item }) => item));
  const seen = await readCheckFacts(db, { ...target, frameworks }, now);
  const evidence = evidenceEntries(seen, demands.evidence);
  const known = { facts, seen, results: judgeChecks(seen), evidence, demands };
  const manifest = manifestOf(
    'ALIAS',
    policy,
    demands,
    entriesOf(known, environmentOf(policy.document, alias)),
  );
  return {
    policy,
    demands,
    manifest,
    digest: digestOf(manifest),
    checks: [
      ...checksOf(known),
      ...(await findingsCheck(db, facts, demands, now)),
      ...(await reviewCheck(db, facts, now)),
    ],
    lineage: new Set(await lineageActors(db, target.versionId)),
    barred: await barredBy(db, demands, facts, { since, requestedBy: target.requestedBy }),
    fromVersionId: facts.from?.id ?? null,
    requestedAt: since ?? null,
    now,
  };
};
