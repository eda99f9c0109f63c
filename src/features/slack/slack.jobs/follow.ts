import { defineReaction, type Change, type JobContext } from '../../../kernel/job.js';
import {
  decideChange,
  executeChange,
  expireChange,
  proposePolicy,
  refreshChange,
  requestPromotion,
  withdrawChange,
  withdrawDecision,
} from '../../approvals/index.js';
import { requestEndpointResume, resumeEndpoint } from '../../deployments/index.js';
import { recordNotification } from '../../notifications/index.js';
import { historyOf } from '../history.js';
import { planDeliveries } from '../slack.commands/plan.js';
import { scheduleNudges } from '../slack.commands/settings.js';
import { readShown } from './shown.js';

/** Commands that open a request. */
const opening = [requestPromotion, proposePolicy, requestEndpointResume];

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

const announce = async (
  { run, actor, payload }: JobContext<Change>,
  changeRequestId: string,
): Promise<void> => {
  await run(scheduleNudges, actor, { changeRequestId }, { effectKey: `slack:${changeRequestId}:nudges` });
  const dedupeKey = `${changeRequestId}:request:${payload.commandId}`;
  const deliveries = [{ content: { kind: 'REQUEST' as const }, dedupeKey }];
  await run(planDeliveries, actor, { changeRequestId, deliveries });
};

const follow = async (context: JobContext<Change>, changeRequestId: string): Promise<void> => {
  const { change, facts } = await readShown(context, changeRequestId);
  if (!facts.announced) {
    if (change.state === 'OPEN') await announce(context, changeRequestId);
    return;
  }
  const update = {
    content: { kind: 'UPDATE' as const },
    dedupeKey: `${changeRequestId}:${context.payload.commandId}`,
  };
  const deliveries = [update, ...historyOf(change, facts)];
  await context.run(planDeliveries, context.actor, { changeRequestId, deliveries });
};

/** Keeps the message of a request true, whichever door the change came through. */
export const followRequests = defineReaction({
  name: 'slack.followRequests',
  follows: [
    ...opening,
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
