import { systemActor, type SystemActor, type UserActor } from '../../../kernel/actor.js';
import { AppError } from '../../../kernel/errors.js';
import { defineJob, type JobContext } from '../../../kernel/job.js';
import { SlackTrouble } from '../../../kernel/slack-app.js';
import { withTrace } from '../../../kernel/trace.js';
import { changeById, changeStandings, decideChange, type Verdict } from '../../approvals/index.js';
import { interaction, type Interaction } from '../interaction.js';
import {
  buttonValue,
  formValue,
  openSealed,
  type ButtonValue,
  type FormValue,
  type SlackDeed,
} from '../sealed.js';
import { addSlackComment } from '../slack.commands/add-comment.js';
import { planDeliveries } from '../slack.commands/plan.js';
import type { SlackDeliveryContent } from '../slack-delivery.entity.js';
import { organizationOfWorkspace, personInSlack } from '../slack.queries/people.js';
import { requestAt, slackFacts } from '../slack.queries/requests.js';
import { notHere, refusedBy, tooLate, type Answer } from './refusal.js';
import type { Shown } from '../content.js';

type Context = JobContext<Interaction>;

type Click = Extract<Interaction, { kind: 'CLICK' }>;
type Submit = Extract<Interaction, { kind: 'SUBMIT' }>;
type Comment = Extract<Interaction, { kind: 'COMMENT' }>;

const verdictOf: Readonly<Record<SlackDeed, Verdict>> = {
  approve: 'APPROVE',
  reject: 'REJECT',
  requestChanges: 'REQUEST_CHANGES',
};

/** Somebody in front of a message: who to answer, and in the name of which workspace. */
interface Front {
  readonly context: Context;
  readonly scope: SystemActor;
  readonly teamId: string;
  readonly user: string;
  readonly channel: string;
}

const plan = async (
  { context, scope }: Front,
  changeRequestId: string | null,
  content: SlackDeliveryContent,
) => {
  const dedupeKey = `${context.jobId}:${content.kind}`;
  await context.run(planDeliveries, scope, { changeRequestId, deliveries: [{ content, dedupeKey }] });
};

const longestLine = 2500;

/** A refusal may quote what people wrote at length. */
const shortened = (line: string): string =>
  line.length <= longestLine ? line : `${line.slice(0, longestLine).toWellFormed()}…`;

const answer = (front: Front, changeRequestId: string | null, { lines, link }: Answer): Promise<void> => {
  const { channel, user } = front;
  const content = {
    kind: 'WHISPER',
    channel,
    user,
    threadTs: null,
    lines: lines.map(shortened),
    link,
  } as const;
  return plan(front, changeRequestId, content);
};

const frontOf = async (
  context: Context,
  workspaceId: string,
  at: { readonly teamId: string; readonly user: string; readonly channel: string },
): Promise<Front | null> => {
  const organizationId = await context.ask(organizationOfWorkspace, context.actor, { workspaceId });
  if (organizationId === null) return null;
  const { teamId, user, channel } = at;
  const scope = systemActor('job:slack.handleInteraction', { workspaceId, organizationId });
  return { context, scope, teamId, user, channel };
};

const isOurTeam = async ({ outside, log }: Context, teamId: string): Promise<boolean> => {
  const { id } = await outside.slack.team();
  if (id !== teamId) log.warn({ teamId }, 'Something came from another Slack workspace; nothing is done');
  return id === teamId;
};

/** The person behind the account, or nobody: then they are told how to link it. */
const personAt = async (front: Front, changeRequestId: string | null): Promise<UserActor | null> => {
  const { context, scope, teamId, user: slackUserId, channel } = front;
  const workspaceId = scope.workspaceId ?? '';
  const person = await context.ask(personInSlack, context.actor, { workspaceId, teamId, slackUserId });
  if (person === null)
    await plan(front, changeRequestId, { kind: 'LINK', channel, user: slackUserId, teamId });
  return person;
};

type Seen = Pick<Shown, 'change' | 'facts'>;

/** The request as this person may see it; null when they may not, which they are told as if it were not there. */
const requestFor = async (front: Front, person: UserActor, changeRequestId: string): Promise<Seen | null> => {
  const { ask } = front.context;
  try {
    const change = await ask(changeById, person, { id: changeRequestId });
    return { change, facts: await ask(slackFacts, person, { changeRequestId }) };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    await answer(front, null, { lines: [error.message], link: null });
    return null;
  }
};

/** Nothing has this digest, so a decision on it is always refused; the one refusal that says nothing is this one. */
const nothingSeen = '0'.repeat(64);

const asPerson = <T>(context: Context, work: () => Promise<T>): Promise<T> =>
  withTrace({ requestId: context.jobId, door: 'slack' }, work);

/**
 * Why this person cannot do it, or null. Where the interface would not offer it, the command itself is asked, about a
 * manifest that cannot be: it refuses, names the rule, and the attempt stands in the trail.
 */
const whyNot = async (
  { context }: Front,
  person: UserActor,
  { change, facts }: Seen,
  deed: SlackDeed,
): Promise<Answer | null> => {
  const late = tooLate({ change, facts }, context.clock.now());
  if (late) return late;
  const [standing] = await context.ask(changeStandings, person, { ids: [change.id] });
  if (!standing?.viewerCan.includes(deed)) {
    const verdict = verdictOf[deed];
    const attempt = {
      changeRequestId: change.id,
      verdict,
      reason: 'Tried in Slack',
      manifestSha256: nothingSeen,
    };
    try {
      await asPerson(context, () => context.run(decideChange, person, attempt));
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      if (error.details['rule'] !== 'manifest-changed') return refusedBy(error, change);
    }
  }
  return deed === 'approve' && !facts.approvable ? notHere({ change, facts }) : null;
};

const titles: Readonly<Record<SlackDeed, string>> = {
  approve: 'Approve',
  reject: 'Reject',
  requestChanges: 'Request changes',
};

const openForm = async (front: Front, click: Click, value: ButtonValue, { change }: Seen): Promise<void> => {
  const { slack } = front.context.outside;
  const { deed, teamId, user, channel, ts } = click;
  try {
    await slack.askReason(click.trigger, {
      title: titles[deed],
      submit: titles[deed],
      lines: [
        `#${String(change.number)} ${change.title}`,
        `Manifest: ${value.manifestSha256.slice(0, 16)}…; what changed since the message was drawn refuses the decision.`,
      ],
      label: 'Reason, for everyone who reads the trail',
      value: slack.seal('form', { ...value, deed, teamId, user, channel, ts }),
    });
  } catch (error) {
    if (!(error instanceof AppError) && !(error instanceof SlackTrouble)) throw error;
    // The trigger is good for three seconds; another try would come later still.
    await answer(front, change.id, {
      lines: ['The form could not be opened in time; press the button again.'],
      link: null,
    });
  }
};

/** A button of ours that was sealed with another key, or not at all: its message is drawn again. */
const refuseValue = async (context: Context, click: Click): Promise<void> => {
  const place = await context.ask(requestAt, context.actor, { channel: click.channel, ts: click.ts });
  const front = place && (await frontOf(context, place.workspaceId, click));
  if (!place || !front) return;
  await answer(front, place.changeRequestId, {
    lines: ['This button is not good any more; use the ones that the message shows now.'],
    link: null,
  });
  await plan(front, place.changeRequestId, { kind: 'UPDATE' });
};

const onClick = async (context: Context, click: Click): Promise<void> => {
  const value = openSealed(context.outside.slack, 'button', buttonValue, click.value);
  if (!value) return refuseValue(context, click);
  const front = await frontOf(context, value.workspaceId, click);
  if (!front) return;
  const person = await personAt(front, null);
  if (!person) return;
  const seen = await requestFor(front, person, value.changeRequestId);
  if (!seen) return;
  const refused = await whyNot(front, person, seen, click.deed);
  if (refused) return answer(front, value.changeRequestId, refused);
  await openForm(front, click, value, seen);
};

/** Decides as this person, by the command of every other door; what it refuses is told. */
const decide = async (
  front: Front,
  person: UserActor,
  seen: Seen,
  form: FormValue,
  submit: Submit,
): Promise<void> => {
  const { context } = front;
  const { changeRequestId, manifestSha256, deed } = form;
  const decision = { changeRequestId, manifestSha256, verdict: verdictOf[deed], reason: submit.reason };
  try {
    const effectKey = `slack:decide:${submit.viewId}`;
    await asPerson(context, () => context.run(decideChange, person, decision, { effectKey }));
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    await answer(front, changeRequestId, refusedBy(error, seen.change));
  }
};

/** Why this form decides nothing here, or null. */
const formFault = (front: Front, seen: Seen, { deed }: FormValue): Answer | null => {
  const late = tooLate(seen, front.context.clock.now());
  // The tier is bound to the manifest: what the command accepts was approvable at this moment.
  return late ?? (deed === 'approve' && !seen.facts.approvable ? notHere(seen) : null);
};

/** The form is bound to the account for which it was opened. */
const onSubmit = async (context: Context, submit: Submit): Promise<void> => {
  const form = openSealed(context.outside.slack, 'form', formValue, submit.form);
  if (form?.user !== submit.user || form.teamId !== submit.teamId) {
    context.log.warn('A form came back from an account for which it was not opened; nothing is done');
    return;
  }
  const front = await frontOf(context, form.workspaceId, form);
  const person = front && (await personAt(front, null));
  const seen = person && (await requestFor(front, person, form.changeRequestId));
  if (!seen) return;
  const fault = formFault(front, seen, form);
  if (fault) return answer(front, form.changeRequestId, fault);
  await decide(front, person, seen, form, submit);
};

const onComment = async (context: Context, written: Comment): Promise<void> => {
  const { channel, threadTs, ts, text } = written;
  const place = await context.ask(requestAt, context.actor, { channel, ts: threadTs });
  const front = place && (await frontOf(context, place.workspaceId, written));
  const person = front && (await personAt(front, place.changeRequestId));
  if (!person) return;
  const { changeRequestId } = place;
  // The same message of Slack, delivered again, is the same comment.
  const effectKey = `slack:comment:${channel}:${ts}`;
  try {
    const comment = { changeRequestId, text };
    await asPerson(context, () => context.run(addSlackComment, person, comment, { effectKey }));
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    // Another try would be refused as well, and who wrote it would believe that it was kept.
    await answer(front, changeRequestId, {
      lines: [`Your answer was not kept. ${error.message}`],
      link: null,
    });
  }
};

/** Works on what arrived from Slack: finds out who it is, and asks the same commands as every other door. */
export const handleInteraction = defineJob({
  name: 'slack.handleInteraction',
  queue: 'light',
  payload: interaction,
  attempts: 12,
  timeoutMs: 30_000,
  handle: async (context) => {
    const { payload } = context;
    if (!(await isOurTeam(context, payload.teamId))) return;
    switch (payload.kind) {
      case 'CLICK':
        return onClick(context, payload);
      case 'SUBMIT':
        return onSubmit(context, payload);
      case 'COMMENT':
        return onComment(context, payload);
    }
  },
});
