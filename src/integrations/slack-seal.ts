import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import type { SlackPurpose, SlackSigned } from '../kernel/slack-app.js';

const windowSeconds = 300;

const equal = (one: string, other: string): boolean => {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
};

/** The signature that Slack puts on a request: `v0=` and HMAC-SHA256 over `v0:timestamp:body`. */
export const signatureOf = (secret: string, timestamp: string, body: Buffer): string =>
  `v0=${createHmac('sha256', secret).update(`v0:${timestamp}:`).update(body).digest('hex')}`;

/** Whether a request was signed with this secret, less than five minutes ago and not in the future. */
export const isSigned = (secret: string, { body, timestamp, signature }: SlackSigned, now: Date): boolean => {
  if (timestamp === null || signature === null || !/^\d{1,12}$/.test(timestamp)) return false;
  const apart = Math.abs(now.getTime() / 1000 - Number(timestamp));
  // Compared in any case, so that the time of an answer says nothing of which of the two was wrong.
  const matches = equal(signatureOf(secret, timestamp, body), signature);
  return matches && apart <= windowSeconds;
};

/** Signs values that travel through Slack, with a key that only the holder of the bot token can make. */
export const sealWith = (token: string) => {
  const key = (purpose: SlackPurpose): Buffer =>
    Buffer.from(hkdfSync('sha256', token, '', `countersign slack ${purpose}`, 32));
  const markOf = (purpose: SlackPurpose, body: string): string =>
    createHmac('sha256', key(purpose)).update(body).digest('base64url');
  return {
    seal: (purpose: SlackPurpose, value: unknown): string => {
      const body = Buffer.from(JSON.stringify(value)).toString('base64url');
      return `${body}.${markOf(purpose, body)}`;
    },
    unseal: (purpose: SlackPurpose, sealed: string): unknown => {
      const [body, mark, ...rest] = sealed.split('.');
      if (body === undefined || mark === undefined || rest.length > 0) return null;
      if (!equal(markOf(purpose, body), mark)) return null;
      return JSON.parse(Buffer.from(body, 'base64url').toString('utf8')) as unknown;
    },
  };
};
