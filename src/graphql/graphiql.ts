import { createHash } from 'node:crypto';
import { renderGraphiQL } from '@graphql-yoga/render-graphiql';
import type { FastifyInstance } from 'fastify';

const welcome = `# Who you are and what you may do. Sign in at the start page first; then choose a workspace by the
# header x-countersign-workspace (its slug) if you are a member of several.
{
  viewer {
    name
    roles
    workspaceId
    permissions
  }
}
`;

const scripts = /<script>([\s\S]*?)<\/script>/g;

const hashes = (html: string): string =>
  [...html.matchAll(scripts)]
    .map(([, script = '']) => `'sha256-${createHash('sha256').update(script).digest('base64')}'`)
    .join(' ');

/** Opens GraphiQL at `/graphiql`, for development. Everything is in the page: it asks nobody but this server. */
export const graphiqlDoor =
  () =>
  (server: FastifyInstance): void => {
    let page: { html: string; policy: string } | null = null;
    // Nine megabytes are put together when the first person asks, not at every start.
    const rendered = (): { html: string; policy: string } => {
      if (page) return page;
      const html = renderGraphiQL({
        title: 'Countersign GraphiQL',
        endpoint: '/graphql',
        credentials: 'same-origin',
        defaultQuery: welcome,
        headers: JSON.stringify({ 'x-countersign-workspace': '' }),
      });
      const policy = [
        "default-src 'none'",
        `script-src ${hashes(html)} blob:`,
        'worker-src blob:',
        "style-src 'unsafe-inline'",
        "font-src data: 'self'",
        "img-src data: 'self'",
        "connect-src 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
      ].join(';');
      page = { html, policy };
      return page;
    };
    server.get('/graphiql', { helmet: false }, (_request, reply) => {
      const { html, policy } = rendered();
      return reply
        .headers({
          'content-security-policy': policy,
          'x-content-type-options': 'nosniff',
          'referrer-policy': 'no-referrer',
          'cache-control': 'no-cache',
        })
        .type('text/html; charset=utf-8')
        .send(html);
    });
  };
