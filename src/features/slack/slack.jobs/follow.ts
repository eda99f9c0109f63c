import { defineReaction, type Change, type JobContext } from '../../../kernel/job.js';
import {
  breakGlass,
  decideChange,
  executeChange,
  expireChange,
  proposePolicy,
  refreshChange,
  requestOrFind,
  requestPromotion,
  requestRiskTier,
  rollbackAlias,
  withdrawChange,
  withdrawDecision,
  type ChangeView,
} from '../../approvals/index.js';
import { requestEndpointResume, resumeEndpoint } from '../../deployments/index.js';
import { recordNotification } from '../../notifications/index.js';
import { historyOf } from '../history.js';
import { planDeliveries } from '../slack.commands/plan.js';
import { scheduleNudges } from '../slack.commands/settings.js';
import { readShown } from './shown.js';

/** Commands that open a request. */
const opening = [
  requestPromotion,
  requestOrFind,
  requestRiskTier,
  breakGlass,
  proposePolicy,
  requestEndpointResume,
];

const openingNames: ReadonlySet<string> = new Set(opening.map(({ name }) => name));

const requestsIn = ({ subjects }: Change): string[] => [
  ...new Set(subjects.filter(({ kind }) => kind === 'changeRequest').map(({ id }) => id)),
];

/** Without Slack it stands there that nobody was told, and how to change that. */
const noteUntold = async ({ payload, run, ask, actor }: JobContext<Change>): Promise<void> => {
  const [id] = openingNames.has(payload.command) ? requestsIn(payload) : [];
  if (id === undefined) return;
  const { change } = await readShown({ ask, actor }, id);
  await run(recordNotification, actor, {
    channel: 'slack',
    subjectKind: 'changeRequest',
    subjectId: id,
    title: `#${String(change.number)} ${change.title}`,
    dedupeKey: `slack:${id}`,
    outcome: { state: 'NOT_SENT', reason: 'not sent: Slack is not configured' },
  });
};

/** What was opened is told, also when it was over before anybody looked; what it ended is told where it was before. */
const isToBeTold = ({ command, subjects }: Change, { id, state }: ChangeView): boolean =>
  state === 'OPEN' || (openingNames.has(command) && subjects[0]?.id === id);

const follow = async (
  { payload, run, ask, actor }: JobContext<Change>,
  changeRequestId: string,
): Promise<void> => {
  const { change, facts } = await readShown({ ask, actor }, changeRequestId);
  if (!facts.announced && !isToBeTold(payload, change)) return;
  if (!facts.announced) {
    await run(scheduleNudges, actor, { changeRequestId }, { effectKey: `slack:${changeRequestId}:nudges` });
  }
  const kind = facts.announced ? ('UPDATE' as const) : ('REQUEST' as const);
  const message = { content: { kind }, dedupeKey: `${changeRequestId}:${kind}:${payload.commandId}` };
  const deliveries = [message, ...historyOf(change, facts)];
  await run(planDeliveries, actor, { changeRequestId, deliveries });
};

/** Keeps the message of a request true, whichever door the change came through. */
export const followRequests = defineReaction({
  name: 'slack.followRequests',
  follows: [
    ...opening,
    rollbackAlias,
    decideChange,
    executeChange,
    expireChange,
    refreshChange,
    withdrawChange,
    withdrawDecision,
    resumeEndpoint,
  ],
  attempts: 12,
  timeoutMs: 30_000,
  handle: async (context) => {
    if (!context.outside.slack.configured) return noteUntold(context);
    for (const id of requestsIn(context.payload)) await follow(context, id);
  },
});
