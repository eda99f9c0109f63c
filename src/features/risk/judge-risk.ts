import type { RiskTier } from '../usecases/index.js';
import { unknownAnswer, type Answer, type Question, type Questionnaire } from './questionnaire.js';

/** What was answered to one question. */
export interface Answered {
  readonly question: string;
  readonly answers: readonly string[];
}

/** Something that is done about the risk, and how. */
export interface Mitigated {
  readonly id: string;
  readonly how: string;
}

/** Why the tier is what it is; for a person, and for a program by its kind. */
export interface Reason {
  /** ANSWER raises the score, FLOOR is a tier that an answer demands, MITIGATION lowers it, LIMIT and TIER say what follows. */
  readonly kind: 'ANSWER' | 'FLOOR' | 'MITIGATION' | 'LIMIT' | 'TIER';
  readonly question: string | null;
  readonly text: string;
  /** Percent of the whole that it adds or takes. */
  readonly points: number;
}

/** What follows from the answers. */
export interface Judgement {
  readonly inherentScore: number;
  readonly inherentTier: RiskTier;
  readonly residualScore: number;
  readonly tier: RiskTier;
  readonly reasons: readonly Reason[];
}

/** An answer that nobody may act on. */
export interface Prohibition {
  readonly question: string;
  readonly answer: string;
  readonly label: string;
  readonly article: string;
}

const order: readonly RiskTier[] = ['LOW', 'MEDIUM', 'HIGH'];

/** Whether one tier demands more than another. */
export const isStricter = (one: RiskTier, other: RiskTier): boolean =>
  order.indexOf(one) > order.indexOf(other);

const strictest = (tiers: readonly RiskTier[]): RiskTier =>
  tiers.reduce((found, one) => (isStricter(one, found) ? one : found), 'LOW');

const oneBelow = (tier: RiskTier): RiskTier => order[Math.max(0, order.indexOf(tier) - 1)] ?? 'LOW';

const chosen = (question: Question, given: readonly Answered[]): readonly string[] =>
  given.find((one) => one.question === question.id)?.answers ?? [];

const isUnknown = (question: Question, given: readonly Answered[]): boolean =>
  chosen(question, given).includes(unknownAnswer);

/** The answers that count: the chosen ones, or for `unknown` all that are not prohibited. */
const counting = (question: Question, given: readonly Answered[]): readonly Answer[] => {
  if (isUnknown(question, given)) return question.answers.filter((one) => one.prohibited === undefined);
  const names = chosen(question, given);
  return question.answers.filter((one) => names.includes(one.id));
};

const scoreOf = (question: Question, given: readonly Answered[]): number =>
  Math.max(0, ...counting(question, given).map((one) => one.score));

const worstOf = (question: Question): number => Math.max(...question.answers.map((one) => one.score));

/** What is prohibited about the answers. */
export const prohibitionsOf = (
  { questions }: Questionnaire,
  given: readonly Answered[],
): readonly Prohibition[] =>
  questions.flatMap((question) =>
    question.answers.flatMap(({ id, label, prohibited: article }) =>
      article !== undefined && chosen(question, given).includes(id)
        ? [{ question: question.id, answer: id, label, article }]
        : [],
    ),
  );

const rounded = (value: number): number => Math.round(value * 10) / 10;

const tierOfScore = ({ tiers }: Questionnaire, score: number): RiskTier => {
  if (score >= tiers.HIGH) return 'HIGH';
  return score >= tiers.MEDIUM ? 'MEDIUM' : 'LOW';
};

const answerReasons = (
  question: Question,
  given: readonly Answered[],
  points: (score: number) => number,
): Reason[] => {
  if (isUnknown(question, given)) {
    const text = `Nobody knows: ${question.text} It counts like the worst answer.`;
    return [{ kind: 'ANSWER', question: question.id, text, points: points(scoreOf(question, given)) }];
  }
  // Only one of several answers counts for the score; the others are said without points.
  const highest = scoreOf(question, given);
  const first = counting(question, given).find((one) => one.score === highest);
  return counting(question, given).map((one) => ({
    kind: 'ANSWER',
    question: question.id,
    text: one.reason,
    points: one === first ? points(one.score) : 0,
  }));
};

const floorReasons = (question: Question, given: readonly Answered[]): (Reason & { tier: RiskTier })[] =>
  counting(question, given).flatMap(({ atLeast: tier, label }) => {
    if (tier === undefined) return [];
    const why = isUnknown(question, given) ? `may be, since nobody knows: ${label}` : label;
    return [
      { kind: 'FLOOR', question: question.id, text: `At least ${tier}: ${why}.`, points: 0, tier } as const,
    ];
  });

/** How far the score of a question falls; never below 0. */
const loweredBy = (
  { mitigations }: Questionnaire,
  question: Question,
  given: readonly Answered[],
  done: readonly Mitigated[],
): { readonly label: string; readonly by: number }[] => {
  let left = scoreOf(question, given);
  return mitigations
    .filter((one) => done.some(({ id }) => id === one.id))
    .flatMap(({ label, lowers }) => {
      const by = Math.min(left, lowers[question.id] ?? 0);
      left -= by;
      return by === 0 ? [] : [{ label, by }];
    });
};

const limitReasons = (byScore: RiskTier, floor: RiskTier, lowest: RiskTier, tier: RiskTier): Reason[] => {
  if (tier === byScore) return [];
  const text =
    tier === floor
      ? `The residual score alone gives ${byScore}; an answer demands at least ${floor}.`
      : `The residual score alone gives ${byScore}; mitigations lower a tier by one step at most, to ${lowest}.`;
  return [{ kind: 'LIMIT', question: null, text, points: 0 }];
};

/** What follows from answers and mitigations, with every reason. */
export const judgeRisk = (
  document: Questionnaire,
  given: readonly Answered[],
  done: readonly Mitigated[],
): Judgement => {
  const { questions } = document;
  const most = questions.reduce((sum, one) => sum + one.weight * worstOf(one), 0);
  const percent = (question: Question, score: number): number =>
    rounded((question.weight * score * 100) / most);
  const total = (scores: (question: Question) => number): number =>
    rounded((questions.reduce((sum, one) => sum + one.weight * scores(one), 0) * 100) / most);
  const lowered = new Map(questions.map((one) => [one, loweredBy(document, one, given, done)]));
  const fall = (question: Question): number =>
    (lowered.get(question) ?? []).reduce((sum, { by }) => sum + by, 0);

  const inherentScore = total((one) => scoreOf(one, given));
  const residualScore = total((one) => scoreOf(one, given) - fall(one));
  const floors = questions.flatMap((one) => floorReasons(one, given));
  const floor = strictest(floors.map((one) => one.tier));
  const inherentTier = strictest([tierOfScore(document, inherentScore), floor]);
  const byScore = tierOfScore(document, residualScore);
  const lowest = oneBelow(tierOfScore(document, inherentScore));
  const tier = strictest([byScore, floor, lowest]);
  const said = `Inherent ${String(inherentScore)} of 100 (${inherentTier}), residual ${String(residualScore)}: the tier is ${tier}.`;
  return {
    inherentScore,
    inherentTier,
    residualScore,
    tier,
    reasons: [
      { kind: 'TIER', question: null, text: said, points: residualScore },
      ...limitReasons(byScore, floor, lowest, tier),
      ...floors.map(({ kind, question, text, points }) => ({ kind, question, text, points })),
      ...questions.flatMap((one) => answerReasons(one, given, (score) => percent(one, score))),
      ...questions.flatMap((one) =>
        (lowered.get(one) ?? []).map(({ label, by }): Reason => ({
          kind: 'MITIGATION',
          question: one.id,
          text: `${label}.`,
          points: -percent(one, by),
        })),
      ),
    ],
  };
};
