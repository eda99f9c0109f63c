import type { JobContext } from '../../../kernel/job.js';
import type { StepPlace } from '../pipeline.js';
import { openReviews } from '../decisions.commands/open-reviews.js';
import { commitStep, type Decided } from './commit-step.js';
import { loadRuns } from './load.js';
import { performStep } from './perform-step.js';
import { nextStep, type Run } from './run.js';

/** What carrying runs through the pipeline needs of a job. */
export type AdvanceContext = Pick<
  JobContext<unknown>,
  'ask' | 'record' | 'run' | 'actor' | 'outside' | 'signal' | 'metrics'
>;

const permission = 'decision:run';

/**
 * Carries decisions through the pipeline, step by step, as far as they go without a person: one transaction takes
 * them up, one ends each step for all of them. Killed anywhere, the next worker goes on where the trace ends.
 */
export const advance = async (context: AdvanceContext, decisionIds: readonly string[]): Promise<void> => {
  const { record, actor, signal } = context;
  const { runs, unopened } = await record(actor, {
    name: 'decision.take',
    permission,
    write: (recordContext) => loadRuns(recordContext, decisionIds),
  });
  const referred = [...unopened];
  for (let step = firstStep(runs); step !== null; step = firstStep(runs)) {
    signal.throwIfAborted();
    const { place, group } = step;
    const results = await performStep(context, group, place);
    const committed = await record(actor, {
      name: 'decision.step',
      permission,
      write: (recordContext) => commitStep(recordContext, workspaceOf(context), place, results),
    });
    committed.apply();
    measure(context.metrics, committed.decided);
    referred.push(...committed.referred);
  }
  await openAll(context, referred);
};

const measure = (metrics: AdvanceContext['metrics'], decided: readonly Decided[]): void => {
  for (const { action, seconds } of decided) {
    metrics.decisions.inc({ action });
    if (seconds !== null) metrics.decisionSeconds.observe(seconds);
  }
};

const workspaceOf = ({ actor }: AdvanceContext): string => {
  if (actor.workspaceId === null) throw new Error('Decisions are made in a workspace');
  return actor.workspaceId;
};

interface Step {
  readonly place: StepPlace;
  readonly group: readonly Run[];
}

const order = ({ iteration, seq }: StepPlace): number => (seq === 6 ? 1000 : iteration * 10 + seq);

/** The earliest step that any run is at, with all runs that are at it. */
const firstStep = (runs: readonly Run[]): Step | null => {
  const open = runs.filter(({ isOver }) => !isOver);
  const places = open.flatMap((run) => {
    const place = nextStep(run.outputs, run.review);
    return place ? [{ run, place }] : [];
  });
  const [first] = places.toSorted((one, other) => order(one.place) - order(other.place));
  if (!first) return null;
  const group = places.filter(({ place }) => order(place) === order(first.place)).map(({ run }) => run);
  return { place: first.place, group };
};

const openAll = async ({ run, actor }: AdvanceContext, decisionIds: readonly string[]): Promise<void> => {
  if (decisionIds.length === 0) return;
  await run(openReviews, actor, { decisionIds: [...decisionIds] });
};
