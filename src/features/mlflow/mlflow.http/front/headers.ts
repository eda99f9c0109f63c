import type { IncomingHttpHeaders } from 'node:http';

/** What goes on of what a client sent: what describes the request, and nothing of who sent it. */
const sentOn = [
  'host',
  'accept',
  'accept-encoding',
  'accept-language',
  'content-type',
  'content-encoding',
  'content-length',
  'range',
  'if-match',
  'if-none-match',
  'if-modified-since',
  'if-range',
  'user-agent',
  'x-mlflow-client-version',
] as const;

/** What comes back: what describes the answer; no cookie of that server, and nothing of its connection. */
const sentBack = [
  'content-type',
  'content-length',
  'content-encoding',
  'content-disposition',
  'content-range',
  'accept-ranges',
  'etag',
  'last-modified',
  'cache-control',
  'vary',
  'retry-after',
] as const;

type Headers = Readonly<IncomingHttpHeaders>;

const only = (names: readonly string[], headers: Headers): Record<string, string | string[]> => {
  const kept: Record<string, string | string[]> = {};
  for (const name of names) {
    const value = headers[name];
    if (value !== undefined) kept[name] = value;
  }
  return kept;
};

/** The headers of a request that goes on. */
export const requestHeaders = (
  headers: Headers,
  authorization: string | null,
): Record<string, string | string[]> => ({
  ...only(sentOn, headers),
  ...(authorization === null ? {} : { authorization }),
});

/**
 * The pages of that server work, but only with this door: its scripts reach nothing else of this host, so that they
 * cannot act here as the person who looks at them.
 */
const pagePolicy = (place: string): string =>
  [
    `default-src 'none'`,
    `script-src ${place}`,
    `style-src ${place} 'unsafe-inline'`,
    `img-src ${place} data: blob:`,
    `font-src ${place} data:`,
    `connect-src ${place}`,
    `worker-src ${place} blob:`,
    `manifest-src ${place}`,
    `frame-src ${place} blob:`,
    `frame-ancestors ${place}`,
    `form-action ${place}`,
    `base-uri 'none'`,
    'sandbox allow-scripts allow-same-origin allow-forms allow-downloads allow-modals',
  ].join('; ');

/** What people uploaded is never run as a page of this host. */
const filePolicy = `default-src 'none'; sandbox`;

const locationOf = (location: string, address: string, prefix: string): string | null => {
  const base = new URL(`${address}/`);
  if (!URL.canParse(location, base)) return null;
  const target = new URL(location, base);
  if (target.origin !== base.origin || !target.pathname.startsWith(base.pathname)) return null;
  return `${prefix}/${target.pathname.slice(base.pathname.length)}${target.search}`;
};

/** The headers of an answer that comes back. */
export const answerHeaders = (
  headers: Headers,
  at: {
    readonly address: string;
    readonly origin: string;
    readonly prefix: string;
    readonly isPage: boolean;
  },
): Record<string, string | string[]> => {
  const location =
    headers.location === undefined ? null : locationOf(headers.location, at.address, at.prefix);
  return {
    ...only(sentBack, headers),
    ...(location === null ? {} : { location }),
    'x-content-type-options': 'nosniff',
    'content-security-policy': at.isPage ? pagePolicy(`${at.origin}${at.prefix}/`) : filePolicy,
  };
};
