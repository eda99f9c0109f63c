import type { DeliveryChannel } from './delivery.entity.js';

const minute = 60;
const hour = 3600;

/** Seconds between one try and the next, over more than a day; a person's mail is given up a little sooner. */
const delays: Readonly<Record<DeliveryChannel, readonly number[]>> = {
  WEBHOOK: [5, 5 * minute, 30 * minute, 2 * hour, 5 * hour, 10 * hour, 10 * hour],
  EMAIL: [minute, 5 * minute, 30 * minute, 2 * hour, 6 * hour, 15 * hour],
  SLACK: [10, 5 * minute, 30 * minute, 2 * hour, 6 * hour, 15 * hour],
};

/**
 * When the next try is due after this many failed ones, each up to a tenth later so that many do not come back at once;
 * null when it has been tried long enough. A receiver that asks for more time gets it.
 */
export const nextTry = (
  channel: DeliveryChannel,
  failed: number,
  now: Date,
  retryAfterSeconds: number | null,
): Date | null => {
  const delay = delays[channel][failed - 1];
  if (delay === undefined) return null;
  const seconds = Math.max(delay * (1 + Math.random() / 10), retryAfterSeconds ?? 0);
  return new Date(now.getTime() + seconds * 1000);
};

/** A webhook of which every delivery has failed for this long is disabled. */
export const disableAfterMs = 5 * 24 * 3_600_000;

/** How long the clock leaves a delivery alone that a job has just been asked for. */
export const graceMs = 120_000;
