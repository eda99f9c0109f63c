import { z } from 'zod';
import { AppError } from '../../../kernel/errors.js';
import { defineJob, type JobContext } from '../../../kernel/job.js';
import { mailOf, preferencesUrl } from '../mail-text.js';
import {
  disableWebhook,
  recordDelivery,
  type DeliveryOutcome,
} from '../notifications.commands/record-delivery.js';
import { deliveryToSend, type ToSend } from '../notifications.queries/to-send.js';
import { bodyOf, headersOf } from '../webhook-body.js';

type Ways = Pick<JobContext<unknown>, 'outside' | 'clock' | 'signal'>;
type ToPerson = Extract<ToSend, { channel: 'EMAIL' | 'SLACK' }>;
type ToWebhook = Extract<ToSend, { channel: 'WEBHOOK' }>;

const notSent = (reason: string): DeliveryOutcome => ({ kind: 'NOT_SENT', reason: `not sent: ${reason}` });

const mail = async (
  { outside }: Ways,
  parcel: ToPerson & { readonly to: string },
): Promise<DeliveryOutcome> => {
  if (!outside.mail.configured) return notSent('no mail server is configured');
  const { publicUrl } = outside;
  const written = mailOf({ ...parcel, publicUrl });
  const { to, id } = parcel;
  await outside.mail.send({ to, ...written, messageKey: id, preferencesUrl: preferencesUrl(publicUrl) });
  return { kind: 'SENT' };
};

const chat = async (
  { outside }: Ways,
  parcel: ToPerson & { readonly to: string },
): Promise<DeliveryOutcome> => {
  if (!outside.chat.configured) return notSent('Slack is not configured');
  const [news] = parcel.news;
  if (!news) return notSent('there is nothing to say');
  const { title, lines, link } = news;
  await outside.chat.post({
    channel: parcel.to,
    title,
    lines,
    link: { label: 'Open in Countersign', url: link },
    dedupeKey: parcel.id,
  });
  return { kind: 'SENT' };
};

const person = (ways: Ways, parcel: ToPerson): Promise<DeliveryOutcome> => {
  const { to } = parcel;
  if (to === null || to === '')
    return Promise.resolve(notSent('this person cannot be reached here any more'));
  return parcel.channel === 'EMAIL' ? mail(ways, { ...parcel, to }) : chat(ways, { ...parcel, to });
};

const webhook = async ({ outside, clock, signal }: Ways, parcel: ToWebhook): Promise<DeliveryOutcome> => {
  if (parcel.state !== 'ACTIVE') return notSent(`the webhook is ${parcel.state.toLowerCase()}`);
  const [news] = parcel.news;
  if (!news) return notSent('there is nothing to say');
  const body = bodyOf(parcel.format, { news, workspace: parcel.workspace, publicUrl: outside.publicUrl });
  // The name of the message is that of its delivery: the same for every try and every replay.
  const headers = headersOf(`msg_${parcel.id}`, clock.now(), body, parcel.secrets);
  const { status, retryAfterSeconds } = await outside.webhooks.send({
    url: parcel.url,
    headers,
    body,
    signal,
  });
  if (status >= 200 && status < 300) return { kind: 'SENT', status };
  if (status === 410) return { kind: 'DEAD', status, reason: 'The receiver says that it is gone (410)' };
  const redirects = status >= 300 && status < 400 ? ', and redirects are not followed' : '';
  return {
    kind: 'RETRY',
    status,
    reason: `The receiver answered ${String(status)}${redirects}`,
    retryAfterSeconds,
  };
};

const mostSeconds = 86_400;

const waitOf = ({ details }: AppError): number | null => {
  const seconds = details['retryAfterSeconds'];
  return typeof seconds === 'number' ? Math.min(Math.ceil(seconds), mostSeconds) : null;
};

const finalCodes: ReadonlySet<string> = new Set(['PRECONDITION_FAILED', 'FORBIDDEN']);

/** What became of a try that threw: a refusal for good, or one to be tried again. A bug is ours and is logged as one. */
const failureOf = (error: unknown): DeliveryOutcome => {
  if (!(error instanceof AppError)) return { kind: 'RETRY', reason: 'Something went wrong on our side' };
  const { status } = z
    .object({ status: z.int().nullable().catch(null) })
    .parse({ status: error.details['status'] });
  if (finalCodes.has(error.code)) return { kind: 'DEAD', status, reason: error.message };
  return { kind: 'RETRY', status, reason: error.message, retryAfterSeconds: waitOf(error) };
};

/**
 * One try. A process that ends between sending and recording sends again, under the same name; a failed try is recorded
 * and comes back as another job, so no worker waits.
 */
export const deliverJob = defineJob({
  name: 'notifications.deliver',
  queue: 'light',
  payload: z.object({ deliveryId: z.uuid(), attempt: z.int().min(1) }),
  attempts: 6,
  timeoutMs: 60_000,
  handle: async (context) => {
    const { payload, ask, run, actor, signal, log } = context;
    const parcel = await ask(deliveryToSend, actor, payload);
    if (!parcel) return;
    const trying = parcel.channel === 'WEBHOOK' ? webhook(context, parcel) : person(context, parcel);
    const outcome = await trying.catch((error: unknown) => {
      signal.throwIfAborted();
      if (!(error instanceof AppError)) log.warn({ err: error }, 'A delivery failed in an unexpected way');
      return failureOf(error);
    });
    const effectKey = `delivery:${payload.deliveryId}:${String(payload.attempt)}`;
    const { disable } = await run(recordDelivery, actor, { ...payload, outcome }, { effectKey });
    if (disable !== null && parcel.channel === 'WEBHOOK') {
      await run(disableWebhook, actor, { webhookId: parcel.webhookId, reason: disable });
    }
  },
});
