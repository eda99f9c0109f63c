import { runHashOf, type EndFacts } from '../pipeline.js';
import type { DecisionState } from '../request-schema.js';

/** What the row of a decision says of its end. */
export interface StoredEnd extends EndFacts {
  readonly state: DecisionState;
  readonly runHash: string | null;
}

/** A step that ended, as its row in the trace says it, with its output where it can be read. */
export interface EndedStep {
  readonly agent: string;
  readonly status: string;
  readonly facts: Readonly<Record<string, unknown>>;
  readonly output: unknown;
  readonly hash: string | null;
}

type Values = Readonly<Record<string, unknown>>;

/**
 * What the row of a decision says otherwise than its run, by column; null when they agree. The last link must have
 * been checked before: from it follows whether the row is the one that was sealed, and the steps tell what changed.
 */
export const rowFault = (
  row: StoredEnd,
  steps: readonly EndedStep[],
  lastLink: string,
  isSealed: boolean,
): string | null => {
  const ended = steps.filter(({ hash }) => hash !== null);
  if (row.runHash === null) return openFault(row, ended, isSealed);
  if (row.runHash === runHashOf(lastLink, row)) {
    return row.state === stateOf(row) ? null : 'The decision was changed after its end: state';
  }
  const expected = endOf(ended);
  const said: Values = { ...row };
  const changed = Object.keys(expected).filter(
    (column) => expected[column] !== undefined && expected[column] !== said[column],
  );
  // Rules and failures stand nowhere else, and a sealed probability cannot be read when its key was erased.
  const names = changed.length > 0 ? changed : ['rules, failure or runHash'];
  return `The decision was changed after its end: ${names.join(', ')}`;
};

/** A run without a head is under way: nothing of it was sealed, and no step of it was its last. */
const openFault = ({ state }: StoredEnd, ended: readonly EndedStep[], isSealed: boolean): string | null => {
  const isUnderWay = state === 'ACCEPTED' || state === 'RUNNING';
  if (isUnderWay && !isSealed && endOf(ended)['state'] === undefined) return null;
  return `The decision was changed after its end: ${isUnderWay ? 'state, runHash' : 'runHash'}`;
};

/** The state that follows from what was sealed. */
const stateOf = ({ failure, action, decidedBy }: StoredEnd): unknown => {
  if (failure !== null) return (failure as { state?: unknown }).state;
  return action === 'REFER' && decidedBy !== 'person' && decidedBy !== 'elsewhere' ? 'WAITING' : 'DONE';
};

/** What the steps say of the end; what they do not say is undefined. */
const endOf = (ended: readonly EndedStep[]): Values => {
  const last = (agent: string): EndedStep | undefined =>
    ended.findLast((step) => step.agent === agent && step.status === 'done');
  const elsewhere = last('elsewhere');
  if (elsewhere) return endElsewhere(elsewhere);
  const { versionId, versionDigest } = last('intake')?.facts ?? {};
  const version = { versionId, versionDigest };
  if (ended.some(({ status }) => status === 'failed')) {
    return { ...version, action: null, decidedBy: null, probability: null };
  }
  const review = last('review')?.facts;
  if (!review || review['verdict'] === 'REVISE') return version;
  return {
    ...endHere(last('policy')?.facts, review, last('person')?.facts),
    ...version,
    probability: probabilityIn(last('scoring')),
  };
};

/** A person has the last word, then the critic, then the policy. */
const endHere = (policy: Values | undefined, review: Values, person: Values | undefined): Values => {
  const policyDigest = policy?.['policySha256'];
  if (person) return { state: 'DONE', action: person['action'], decidedBy: 'person', policyDigest };
  return {
    policyDigest,
    state: review['action'] === 'REFER' ? 'WAITING' : 'DONE',
    action: review['action'],
    decidedBy: policy && policy['action'] === review['action'] ? policy['decidedBy'] : 'review',
  };
};

const endElsewhere = (step: EndedStep): Values => ({
  state: 'DONE',
  action: step.facts['action'],
  decidedBy: 'elsewhere',
  versionId: step.facts['versionId'],
  probability: probabilityIn(step),
});

const probabilityIn = (step: EndedStep | undefined): unknown =>
  (step?.output as { probability?: unknown } | null | undefined)?.probability;
