import { createHash } from 'node:crypto';
import { systemActor } from '../../kernel/actor.js';
import type { Clock } from '../../kernel/clock.js';
import type { RunCommand } from '../../kernel/command.js';
import { newId } from '../../kernel/id.js';
import { storageFault } from '../../kernel/input.js';
import { reasonField, type SlackApp } from '../../kernel/slack-app.js';
import { formValue, linkPath, openSealed } from './sealed.js';
import {
  readClick,
  readSubmission,
  readThreadMessage,
  slashCommand,
  urlVerification,
  type Read,
} from './slack-payloads.js';
import { receiveInteraction } from './slack.commands/receive.js';

/** What receiving stands on. */
export interface ReceiverParts {
  readonly run: RunCommand;
  readonly slack: SlackApp;
  readonly clock: Clock;
}

/** Something from Slack that has proved where it comes from: a request that was signed, or our own socket. */
export interface Arrived {
  readonly kind: 'interactive' | 'events_api' | 'slash_commands';
  readonly body: unknown;
}

/** What Slack is answered at once; null: only that it arrived. */
export type Acknowledgement = Readonly<Record<string, unknown>> | null;

/** Takes what arrived, by whichever transport, and acknowledges it; the work is done by a job. */
export type Receiver = (arrived: Arrived) => Promise<Acknowledgement>;

const longestReason = 3000;

const fault = (message: string): Acknowledgement => ({
  response_action: 'errors',
  errors: { [reasonField]: message },
});

/** What Slack sends again, or somebody replays, was taken before under its key. */
const take = async ({ run }: ReceiverParts, { interaction, key }: Read): Promise<Acknowledgement> => {
  const digest = createHash('sha256').update(key).digest('hex');
  const effectKey = `slack:${interaction.kind}:${digest}`;
  await run(receiveInteraction, systemActor('door:slack'), { interaction }, { effectKey });
  return null;
};

const reasonFault = (reason: string): string | null => {
  if (reason === '') return 'Write why; everyone who reads the trail sees it.';
  if (reason.length > longestReason) return `At most ${String(longestReason)} characters.`;
  return storageFault(reason) === null ? null : 'It holds a character that cannot be stored.';
};

/** Answers faults in the form itself; what the rules say needs the database and is told beside the message. */
const takeSubmission = async (parts: ReceiverParts, body: unknown): Promise<Acknowledgement> => {
  const submitted = readSubmission(body);
  if (!submitted) return null;
  const { reason, viewId: key, ...rest } = submitted;
  if (openSealed(parts.slack, 'form', formValue, submitted.form) === null) {
    return fault('This form is not good any more; close it and press the button again.');
  }
  const wrong = reasonFault(reason);
  if (wrong !== null) return fault(wrong);
  return take(parts, { key, interaction: { kind: 'SUBMIT', ...rest, viewId: key, reason } });
};

const takeInteractive = (parts: ReceiverParts, body: unknown): Promise<Acknowledgement> => {
  const click = readClick(body);
  return click ? take(parts, click) : takeSubmission(parts, body);
};

const takeEvent = async (parts: ReceiverParts, body: unknown): Promise<Acknowledgement> => {
  const asked = urlVerification.safeParse(body).data;
  if (asked) return { challenge: asked.challenge };
  const message = readThreadMessage(body);
  return message ? take(parts, message) : null;
};

const onlyToYou = (text: string): Acknowledgement => ({ response_type: 'ephemeral', text });

const takeCommand = async ({ slack, clock }: ReceiverParts, body: unknown): Promise<Acknowledgement> => {
  const typed = slashCommand.safeParse(body).data;
  if (!typed) return null;
  if (typed.text.trim() !== 'link')
    return onlyToYou('`link`: link your Slack account to your Countersign account.');
  const ticket = {
    ticketId: newId(),
    teamId: typed.team_id,
    user: typed.user_id,
    workspaceId: null,
    issuedAt: clock.now().toISOString(),
  };
  return onlyToYou(
    `<${slack.linkTo(linkPath(slack, ticket))}|Sign in and link your account> (good for 15 minutes, once)`,
  );
};

/** Opens the one way in which things from Slack are taken, for both transports. */
export const slackReceiver =
  (parts: ReceiverParts): Receiver =>
  ({ kind, body }) => {
    if (!parts.slack.configured) return Promise.resolve(null);
    switch (kind) {
      case 'interactive':
        return takeInteractive(parts, body);
      case 'events_api':
        return takeEvent(parts, body);
      case 'slash_commands':
        return takeCommand(parts, body);
    }
  };
