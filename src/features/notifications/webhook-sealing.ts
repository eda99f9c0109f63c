import { randomBytes } from 'node:crypto';

/** Under which key the address and the secrets of a webhook are sealed. */
export const sealedAs = (webhookId: string): string => `webhook:${webhookId}`;

/** Where the sealed address stands. */
export const urlPlace = (webhookId: string): string => `webhook.sealed_url/${webhookId}`;

/** Where a sealed secret stands. */
export const secretPlace = (secretId: string): string => `webhook_secret.sealed/${secretId}`;

/** A new secret, in the form of Standard Webhooks. */
export const newSecret = (): string => `whsec_${randomBytes(32).toString('base64')}`;

/** What may be shown of an address: paths and questions of such addresses are often secrets themselves. */
export const shownTarget = (url: URL): string => `${url.origin}${url.pathname === '/' ? '/' : '/…'}`;
