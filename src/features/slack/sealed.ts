import { z } from 'zod';
import type { SlackApp, SlackPurpose } from '../../kernel/slack-app.js';

const digest = z.string().regex(/^[0-9a-f]{64}$/);

/** What a button stands for: a request, and the manifest that the message showed. */
export const buttonValue = z.object({
  workspaceId: z.uuid(),
  changeRequestId: z.uuid(),
  manifestSha256: digest,
});

/** What a button stands for. */
export type ButtonValue = z.output<typeof buttonValue>;

/** What a person may do in Slack; the names of the buttons. */
export const slackDeed = z.enum(['approve', 'reject', 'requestChanges']);

/** One deed of the closed list. */
export type SlackDeed = z.output<typeof slackDeed>;

/** What a form was opened for, by whom, and beside which message. */
export const formValue = buttonValue.extend({
  deed: slackDeed,
  teamId: z.string(),
  user: z.string(),
  channel: z.string(),
  ts: z.string(),
});

/** What a form was opened for. */
export type FormValue = z.output<typeof formValue>;

/** A one-time link: whose account it is about, and when it was asked for. */
export const linkTicket = z.object({
  ticketId: z.uuid(),
  teamId: z.string(),
  user: z.string(),
  /** Null: the workspace in which the person is signed in. */
  workspaceId: z.uuid().nullable(),
  issuedAt: z.iso.datetime(),
});

/** A one-time link. */
export type LinkTicket = z.output<typeof linkTicket>;

const lifetimeMs = 15 * 60_000;

/** Whether a link is no longer good. */
export const isOld = ({ issuedAt }: LinkTicket, now: Date): boolean => {
  const age = now.getTime() - Date.parse(issuedAt);
  return age > lifetimeMs || age < -60_000;
};

/** What was sealed here for this purpose and has this form, or null. */
export const openSealed = <Schema extends z.ZodType>(
  slack: Pick<SlackApp, 'unseal'>,
  purpose: SlackPurpose,
  schema: Schema,
  sealed: string,
): z.output<Schema> | null => schema.safeParse(slack.unseal(purpose, sealed)).data ?? null;

/** Where a person links an account; it shows a page, and links nothing by itself. */
export const linkPath = (slack: Pick<SlackApp, 'seal'>, ticket: LinkTicket): string =>
  `/slack/link?ticket=${slack.seal('link', ticket)}`;
