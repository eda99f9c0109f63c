import { z } from 'zod';

/** What people can be told of. */
export const notificationEvent = z
  .enum([
    'CHANGE_REQUESTED',
    'CHANGE_DECIDED',
    'CHANGES_REQUESTED',
    'CHANGE_VOIDED',
    'CHANGE_EXECUTED',
    'CHANGE_EXPIRING',
    'EVIDENCE_AGEING',
    'FINDING_ASSIGNED',
    'FINDING_DUE',
    'MENTION',
    'COMMENT',
    'REVIEW_WAITING',
    'INCIDENT',
    'WEBHOOK_DISABLED',
  ])
  .meta({ id: 'NotificationEvent' });

/** One event of the closed list. */
export type NotificationEvent = z.output<typeof notificationEvent>;

/** What other systems can be told of: everything but what is between people, or about the webhooks themselves. */
export const webhookEvent = notificationEvent
  .exclude(['MENTION', 'COMMENT', 'WEBHOOK_DISABLED'])
  .meta({ id: 'WebhookEvent' });

/** An event of news; the last one is sent to see whether a webhook works. */
export const newsEvent = z.enum([...notificationEvent.options, 'WEBHOOK_TEST']);

/** One event of the closed list. */
export type NewsEvent = z.output<typeof newsEvent>;

/** Where a person is told. */
export const personChannel = z.enum(['IN_APP', 'EMAIL', 'SLACK']).meta({ id: 'NotificationChannel' });

/** One channel of the closed list. */
export type PersonChannel = z.output<typeof personChannel>;

/** When a person is told. */
export const notificationMode = z.enum(['OFF', 'AT_ONCE', 'DAILY']).meta({ id: 'NotificationMode' });

/** One mode of the closed list. */
export type NotificationMode = z.output<typeof notificationMode>;

/** How a person is told of one event, in each channel. */
export type Modes = Readonly<Record<PersonChannel, NotificationMode>>;

/** A person has to do something, and others wait for it. */
const urgent: Modes = { IN_APP: 'AT_ONCE', EMAIL: 'AT_ONCE', SLACK: 'AT_ONCE' };
/** Something that can wait until tomorrow's mail. */
const calm: Modes = { IN_APP: 'AT_ONCE', EMAIL: 'DAILY', SLACK: 'OFF' };
/** Nice to know; seen by whoever looks. */
const quiet: Modes = { IN_APP: 'AT_ONCE', EMAIL: 'OFF', SLACK: 'OFF' };

/** How people are told who have said nothing about it. */
export const defaultModes: Readonly<Record<NotificationEvent, Modes>> = {
  CHANGE_REQUESTED: urgent,
  CHANGE_DECIDED: calm,
  CHANGES_REQUESTED: urgent,
  CHANGE_VOIDED: urgent,
  CHANGE_EXECUTED: quiet,
  CHANGE_EXPIRING: urgent,
  EVIDENCE_AGEING: calm,
  FINDING_ASSIGNED: urgent,
  FINDING_DUE: urgent,
  MENTION: urgent,
  COMMENT: quiet,
  REVIEW_WAITING: calm,
  INCIDENT: urgent,
  WEBHOOK_DISABLED: urgent,
};

/** What always reaches the inbox: somebody asked this person for something, and would wait in vain. */
export const unsilenceable: ReadonlySet<NotificationEvent> = new Set([
  'CHANGE_REQUESTED',
  'CHANGES_REQUESTED',
  'FINDING_ASSIGNED',
  'MENTION',
]);

/** The modes that a channel knows: only mail is collected. */
export const modesOf: Readonly<Record<PersonChannel, readonly NotificationMode[]>> = {
  IN_APP: ['OFF', 'AT_ONCE'],
  EMAIL: ['OFF', 'AT_ONCE', 'DAILY'],
  SLACK: ['OFF', 'AT_ONCE'],
};

/** `CHANGE_REQUESTED` → `change.requested`: how the event is called outside. */
export const outsideName = (event: NewsEvent): string => event.toLowerCase().replace('_', '.');
