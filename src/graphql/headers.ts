/**
 * The headers of every answer of this door, ready made. The server's own hook computes them anew for each request,
 * which is a twentieth of the time that a trusted document takes.
 */
export const securityHeaders = (secure: boolean): Readonly<Record<string, string>> => ({
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none';frame-ancestors 'none';base-uri 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'SAMEORIGIN',
  ...(secure ? { 'strict-transport-security': 'max-age=31536000' } : {}),
});
