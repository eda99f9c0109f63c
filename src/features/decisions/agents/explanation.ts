import type { EnsembleInput, EnsembleManifest } from '../../../kernel/ensemble-manifest.js';
import type { InputValues } from '../application.js';
import {
  meaningOf,
  numbersIn,
  ungrounded,
  type CitedSentence,
  type NoteEvidence,
} from '../guardrails/groundedness.js';
import { personalDataIn } from '../guardrails/personal-data.js';
import { unfitWords } from '../guardrails/tone.js';
import type { DecisionPolicy } from '../policy.js';
import { judge, standing, type GuardrailVerdict } from '../verdict.js';
import { incomeBoundary } from './policy.js';
import type {
  Contribution,
  CounterfactualChange,
  ExplanationOutput,
  PolicyOutput,
  Reason,
  ScoringOutput,
} from './run-facts.js';

/** What the exact explanation of one row says. */
export interface RowExplanation {
  readonly base: number;
  readonly probability: number;
  readonly backgroundRows: number;
  /** In the order of the manifest's inputs. */
  readonly contributions: readonly number[];
  readonly counterfactuals: readonly CounterfactualChange[];
  readonly isSearchComplete: boolean;
}

/** What the explanation agent is given. */
export interface ExplanationTask {
  readonly inputs: InputValues;
  readonly scoring: ScoringOutput;
  readonly chosen: PolicyOutput;
  readonly row: RowExplanation;
  readonly manifest: EnsembleManifest;
  readonly policy: DecisionPolicy;
  /** How often the critic sent it back; each time less is said. */
  readonly iteration: number;
}

/**
 * Turns contributions and counterfactuals into reasons for the step that really decided and a plain note by templates.
 * The decision is fixed before; nothing written here changes it. Each sentence cites what it rests on.
 */
export const explanationAgent = (task: ExplanationTask): ExplanationOutput => {
  const { row, inputs, manifest } = task;
  const contributions = manifest.inputs
    .map(({ name }, index) => ({
      name,
      value: inputs[name] ?? '',
      contribution: row.contributions[index] ?? 0,
    }))
    .toSorted((one, other) => Math.abs(other.contribution) - Math.abs(one.contribution));
  const note = writeNote(task, contributions);
  const verdicts = outputVerdicts(note, evidenceOf(task, contributions), task.policy);
  return { ...row, contributions, reasons: reasonsOf(task, contributions), note, verdicts };
};

const percent = (share: number): string => (share * 100).toFixed(1);
// Made once: `toLocaleString` makes a new one for each number, which was a tenth of a worker's time.
const grouped = new Intl.NumberFormat('en-US', { maximumFractionDigits: 4 });
const shown = (value: number | string): string => (typeof value === 'number' ? grouped.format(value) : value);

const inputNamed = ({ inputs }: EnsembleManifest, name: string): EnsembleInput | undefined =>
  inputs.find((input) => input.name === name);

const labelOf = (manifest: EnsembleManifest, name: string): string =>
  inputNamed(manifest, name)?.label ?? name;

const strongest = (
  { policy, iteration }: ExplanationTask,
  all: readonly Contribution[],
): readonly Contribution[] => {
  const { least, reasons } = policy.explanation;
  const most = [reasons, 1, 0][iteration] ?? 0;
  return all.filter(({ contribution }) => Math.abs(contribution) >= least).slice(0, most);
};

const contributionText = (
  { manifest }: ExplanationTask,
  { name, value, contribution }: Contribution,
): string => {
  const verb = contribution > 0 ? 'raised' : 'lowered';
  return `${labelOf(manifest, name)} (${shown(value)}) ${verb} the estimate by ${percent(Math.abs(contribution))} percentage points.`;
};

const reasonsOf = (task: ExplanationTask, contributions: readonly Contribution[]): Reason[] => {
  const { chosen } = task;
  if (chosen.decidedBy !== 'score') {
    return standing(chosen.verdicts).map(({ rule, why }) => ({
      step: chosen.decidedBy,
      code: rule,
      text: why,
    }));
  }
  // A reason is what it is however often the note was rewritten.
  return strongest({ ...task, iteration: 0 }, contributions).map((one) => ({
    step: 'score',
    code: one.name,
    text: contributionText(task, one),
  }));
};

const opening = ({ chosen, scoring }: ExplanationTask): CitedSentence => {
  const cites = [{ kind: 'score' }] as const;
  const estimate = `the estimated probability of an income above ${shown(incomeBoundary)} is ${percent(scoring.probability)} %.`;
  if (chosen.action === 'ACCEPT_STATED_INCOME')
    return { text: `The stated income is accepted: ${estimate}`, cites };
  if (chosen.action === 'ASK_FOR_DOCUMENTS')
    return { text: `Documents about the income are asked for: ${estimate}`, cites };
  return { text: `A person will decide this case; ${estimate}`, cites };
};

const writeNote = (task: ExplanationTask, contributions: readonly Contribution[]): CitedSentence[] => {
  const { chosen, row, manifest, iteration } = task;
  const rules = standing(chosen.verdicts).map(({ rule, why }): CitedSentence => ({
    text: why,
    cites: [{ kind: 'rule', name: rule }],
  }));
  const features = strongest(task, contributions).map((one): CitedSentence => ({
    text: contributionText(task, one),
    cites: [{ kind: 'feature', name: one.name }],
  }));
  const comparison: CitedSentence = {
    text: `The comparison is with ${String(row.backgroundRows)} earlier cases, whose mean estimate is ${percent(row.base)} %.`,
    cites: [{ kind: 'score' }],
  };
  const short = [opening(task), ...rules, ...features];
  if (iteration > 0) return short;
  return [...short, comparison, ...row.counterfactuals.map((one) => counterfactualText(manifest, one))];
};

const counterfactualText = (
  manifest: EnsembleManifest,
  { changes, probability }: CounterfactualChange,
): CitedSentence => {
  const different = changes.map(
    ({ name, from, to }) => `${labelOf(manifest, name)} ${shown(to)} instead of ${shown(from)}`,
  );
  return {
    text: `With ${different.join(' and ')} the estimate would be ${percent(probability)} %.`,
    cites: changes.map(({ name }) => ({ kind: 'counterfactual', name })),
  };
};

/** Everything that may be said, with its numbers. Built from the facts, not from the sentences. */
const evidenceOf = (
  { row, scoring, chosen, manifest, policy }: ExplanationTask,
  contributions: readonly Contribution[],
): NoteEvidence => {
  const inText = (text: string): number[] => numbersIn(text).map(meaningOf);
  const inLabel = (name: string): number[] => inText(labelOf(manifest, name));
  const valueNumbers = (value: number | string): number[] =>
    typeof value === 'number' ? [value] : inText(value);
  const counterfactuals = new Map<string, number[]>();
  for (const { changes, probability } of row.counterfactuals) {
    // A sentence about two changes cites both, so each carries its own numbers and the result.
    for (const { name, from, to } of changes) {
      const said = [...valueNumbers(from), ...valueNumbers(to), ...inLabel(name), probability * 100];
      counterfactuals.set(name, [...(counterfactuals.get(name) ?? []), ...said]);
    }
  }
  return {
    features: new Map(
      contributions.map(({ name, value, contribution }) => [
        name,
        { contribution, numbers: [...valueNumbers(value), ...inLabel(name), Math.abs(contribution) * 100] },
      ]),
    ),
    counterfactuals,
    score: [
      scoring.probability * 100,
      row.base * 100,
      scoring.threshold * 100,
      row.backgroundRows,
      incomeBoundary,
    ],
    rules: new Map(ruleNumbers(chosen, policy, inText)),
  };
};

const ruleNumbers = (
  chosen: PolicyOutput,
  policy: DecisionPolicy,
  inText: (text: string) => number[],
): (readonly [string, number[]])[] => [
  ...policy.rules.map(({ name, why }) => [name, inText(why)] as const),
  ...chosen.verdicts.map(({ rule, why }) => [rule, inText(why)] as const),
];

const outputVerdicts = (
  note: readonly CitedSentence[],
  evidence: NoteEvidence,
  { explanation }: DecisionPolicy,
): GuardrailVerdict[] => {
  const text = note.map((sentence) => sentence.text).join(' ');
  const [loose] = ungrounded(note, evidence);
  const refer = (why: string) => ({ verdict: 'REFER', why }) as const;
  return [
    judge(
      'output',
      'groundedness',
      loose === undefined,
      refer(`A sentence is not grounded: ${loose?.why ?? ''}.`),
    ),
    judge(
      'output',
      'personal-data',
      personalDataIn(text).length === 0,
      refer('The note holds personal data.'),
    ),
    judge('output', 'tone', unfitWords(text).length === 0, refer('The note has words that are not fit.')),
    judge('output', 'length', text.length <= explanation.mostCharacters, refer('The note is too long.')),
  ];
};
