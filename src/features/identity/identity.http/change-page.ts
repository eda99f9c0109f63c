import type { FastifyInstance } from 'fastify';
import type { OpenIdentityDoor } from './door.js';
import { hypertext, sendPage } from '../../../http/pages.js';

const questionOf = (number: number): string => `{
  changeRequest(number: ${String(number)}) {
    id title state requestedByName reason
    standing { ready manifestSha256 requirements { rule state message } }
    approvals { byName role verdict valid }
    viewerCan
  }
}`;

/**
 * Where the messages about change requests lead until the console shows them: how to look and how to decide. The page
 * reads nothing, so it tells nobody what they may not see; the API asks who they are.
 */
export const changePageRoutes = (server: FastifyInstance, door: OpenIdentityDoor): void => {
  server.get<{ Params: { number: string } }>('/changes/:number(^[1-9]\\d{0,8}$)', (request, reply) => {
    const number = Number(request.params.number);
    const graphiql = door.links.find(({ href }) => href === '/graphiql');
    const place = graphiql
      ? hypertext`<a href="/graphiql">GraphiQL</a>`
      : hypertext`<code>POST /graphql</code>`;
    const body = hypertext`<h1>Change request #${number}</h1>
      <p>Sign in on the <a href="/">start page</a>, then ask ${place}:</p>
      <pre><code>${questionOf(number)}</code></pre>
      <p>
        <code>viewerCan</code> says what you can do. Decide with <code>decideChange</code>, giving the
        <code>id</code> and, so that you approve what you have seen, the <code>manifestSha256</code>:
        <a href="/docs/approvals.md">how approvals work</a>.
      </p>`;
    return sendPage(reply, { title: `Change request #${String(number)}`, body });
  });
};
