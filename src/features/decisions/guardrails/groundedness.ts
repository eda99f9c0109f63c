/** What a sentence of a note rests on. */
export type Citation =
  | { readonly kind: 'feature'; readonly name: string }
  | { readonly kind: 'counterfactual'; readonly name: string }
  | { readonly kind: 'score' }
  | { readonly kind: 'rule'; readonly name: string };

/** A sentence with what it rests on. */
export interface CitedSentence {
  readonly text: string;
  readonly cites: readonly Citation[];
}

/** What is known of the decision: everything that a sentence may cite. */
export interface NoteEvidence {
  /** Per feature: what it did to the probability, and the numbers that may be said of it. */
  readonly features: ReadonlyMap<
    string,
    { readonly contribution: number; readonly numbers: readonly number[] }
  >;
  /** Per feature that would have to change: the numbers that may be said of it. */
  readonly counterfactuals: ReadonlyMap<string, readonly number[]>;
  readonly score: readonly number[];
  readonly rules: ReadonlyMap<string, readonly number[]>;
}

/** Why a sentence is not grounded. */
export interface UngroundedSentence {
  readonly text: string;
  readonly why: string;
}

const raises = /\b(raises?|raised|increases?|increased|higher)\b/i;
const lowers = /\b(lowers?|lowered|decreases?|decreased|reduces?|reduced)\b/i;
const number = /-?\d[\d,]*(?:\.\d+)?/g;

/** The numbers that stand in a text, as written. */
export const numbersIn = (text: string): string[] => [...text.matchAll(number)].map(([written]) => written);

/** What a written number means. */
export const meaningOf = (written: string): number => Number(written.replaceAll(',', ''));

/**
 * Checks each sentence without any model: what it cites exists, what it says of a feature's direction has the sign of
 * that feature's contribution, and each number in it is a number of what it cites, rounded as it is written.
 */
export const ungrounded = (
  sentences: readonly CitedSentence[],
  evidence: NoteEvidence,
): UngroundedSentence[] =>
  sentences.flatMap((sentence) => {
    const why = faultOf(sentence, evidence);
    return why === null ? [] : [{ text: sentence.text, why }];
  });

const faultOf = ({ text, cites }: CitedSentence, evidence: NoteEvidence): string | null => {
  if (cites.length === 0) return 'it cites nothing';
  const absent = cites.find((cite) => numbersOf(cite, evidence) === null);
  if (absent)
    return `it cites ${'name' in absent ? absent.name : 'a score'}, which the decision does not know`;
  const wrong = cites.find((cite) => cite.kind === 'feature' && contradicts(text, cite.name, evidence));
  if (wrong && 'name' in wrong) return `it says the opposite of what ${wrong.name} did`;
  const stranger = numbersIn(text).find(
    (written) => !cites.some((cite) => numbersOf(cite, evidence)?.some((value) => isWritten(value, written))),
  );
  return stranger === undefined ? null : `the number ${stranger} is none of what it cites`;
};

const numbersOf = (cite: Citation, evidence: NoteEvidence): readonly number[] | null => {
  if (cite.kind === 'score') return evidence.score;
  if (cite.kind === 'feature') return evidence.features.get(cite.name)?.numbers ?? null;
  if (cite.kind === 'rule') return evidence.rules.get(cite.name) ?? null;
  return evidence.counterfactuals.get(cite.name) ?? null;
};

const contradicts = (text: string, feature: string, { features }: NoteEvidence): boolean => {
  const contribution = features.get(feature)?.contribution ?? 0;
  return (raises.test(text) && contribution <= 0) || (lowers.test(text) && contribution >= 0);
};

const isWritten = (value: number, written: string): boolean => {
  const plain = written.replaceAll(',', '');
  const digits = plain.includes('.') ? plain.length - plain.indexOf('.') - 1 : 0;
  return Math.abs(Number(value.toFixed(digits)) - Number(plain)) < 1e-9;
};
