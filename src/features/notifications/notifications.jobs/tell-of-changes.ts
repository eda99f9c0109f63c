import { defineReaction, type Change, type JobContext } from '../../../kernel/job.js';
import {
  breakGlass,
  changeStandings,
  decideChange,
  executeChange,
  expireChange,
  proposePolicy,
  refreshChange,
  requestOrFind,
  requestPromotion,
  requestRiskTier,
  rollbackAlias,
  staleByData,
  staleByMember,
  withdrawChange,
} from '../../approvals/index.js';
import { reconcileRuntime } from '../../attestations/index.js';
import { addComment, commentOnReview, editComment } from '../../comments/index.js';
import { openReviews } from '../../decisions/index.js';
import { requestEndpointResume, resumeEndpoint } from '../../deployments/index.js';
import { invalidateEvidence, warnOfAge } from '../../evaluations/index.js';
import { createFinding } from '../../findings/index.js';
import { reviewIncident } from '../../incidents/index.js';
import { draftsOf, type Draft } from '../drafts.js';
import { disableWebhook } from '../notifications.commands/record-delivery.js';
import { tellPeople } from '../notifications.commands/tell.js';
import { composeNews } from '../notifications.queries/compose.js';
import { deedsOf } from '../notifications.queries/deeds.js';

type Telling = Pick<JobContext<unknown>, 'ask' | 'run' | 'actor'>;

/** Whose decision a request waits for, as the approvals say. */
const askedFor = async ({ ask, actor }: Telling, changeRequestId: string): Promise<string[]> => {
  const [standing] = await ask(changeStandings, actor, { ids: [changeRequestId] });
  const open = standing?.requirements.filter(({ state }) => state !== 'PASS') ?? [];
  return open.flatMap(({ people }) => people.map(({ id }) => id));
};

/** Finds names and people of a draft, and tells them once. */
export const tell = async (
  context: Telling,
  draft: Draft,
  { actor, dedupeKey }: { readonly actor: Change['actor'] | null; readonly dedupeKey: string },
): Promise<void> => {
  const { ask, run, actor: self } = context;
  const { concerned, users, holders, except, onlyNew, outside, key: _, ...told } = draft;
  const asked = concerned.includes('asked') ? await askedFor(context, draft.subject.id) : [];
  const composed = await ask(composeNews, self, {
    ...told,
    asked,
    actor,
    holders,
    onlyNew,
    concerned: [...concerned],
    users: [...users],
    except: [...except],
    lines: [...told.lines],
  });
  if (composed.people.length === 0 && !outside) return;
  await run(
    tellPeople,
    self,
    {
      event: draft.event,
      subject: draft.subject,
      title: composed.title,
      lines: [...composed.lines],
      link: composed.link,
      people: [...composed.people],
      actorId: actor?.id ?? null,
      dedupeKey,
      outside,
    },
    { effectKey: `news:${self.workspaceId ?? ''}:${dedupeKey}` },
  );
};

/**
 * Tells of what a command did, as the trail says it. For reactions of later features to their own commands, too: what
 * a command leaves in the trail decides what is told, not its name.
 */
export const tellOfChange = async (context: JobContext<Change>): Promise<void> => {
  const { payload, ask, actor, signal } = context;
  for (const draft of draftsOf(await ask(deedsOf, actor, { commandId: payload.commandId }))) {
    signal.throwIfAborted();
    await tell(context, draft, { actor: payload.actor, dedupeKey: `${payload.commandId}:${draft.key}` });
  }
};

export const tellOfChanges = defineReaction({
  name: 'notifications.tellOfChanges',
  follows: [
    requestPromotion,
    requestOrFind,
    requestRiskTier,
    rollbackAlias,
    breakGlass,
    proposePolicy,
    requestEndpointResume,
    decideChange,
    executeChange,
    refreshChange,
    withdrawChange,
    expireChange,
    resumeEndpoint,
    createFinding,
    reconcileRuntime,
    reviewIncident,
    warnOfAge,
    invalidateEvidence,
    staleByData,
    staleByMember,
    addComment,
    commentOnReview,
    editComment,
    openReviews,
    disableWebhook,
  ],
  attempts: 8,
  timeoutMs: 60_000,
  handle: tellOfChange,
});
