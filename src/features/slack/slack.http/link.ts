import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { answerOf } from '../../../http/errors.js';
import { hypertext, sendPage, type Markup } from '../../../http/pages.js';
import type { HttpParts } from '../../../http/routes.js';
import type { UserActor } from '../../../kernel/actor.js';
import type { Clock } from '../../../kernel/clock.js';
import { AppError } from '../../../kernel/errors.js';
import type { SlackPerson } from '../../../kernel/slack-app.js';
import { isOld, linkTicket, openSealed, type LinkTicket } from '../sealed.js';
import { linkSlack } from '../slack.commands/links.js';
import { addressOfMine } from '../slack.queries/people.js';

/** What the page of linking stands on. */
export interface LinkParts extends HttpParts {
  readonly clock: Clock;
}

const refuse = (rule: string, sentence: string): AppError => new AppError('FORBIDDEN', sentence, { rule });

const readTicket = ({ outside, clock }: LinkParts, sealed: unknown): LinkTicket => {
  const ticket = typeof sealed === 'string' ? openSealed(outside.slack, 'link', linkTicket, sealed) : null;
  if (ticket && !isOld(ticket, clock.now())) return ticket;
  throw new AppError('INVALID_INPUT', 'This link is not good any more; ask for another one in Slack', {
    rule: 'link-over',
  });
};

/** The account as Slack knows it now; one of a machine, of another team, or of another address is refused. */
const accountOf = async (parts: LinkParts, ticket: LinkTicket, actor: UserActor): Promise<SlackPerson> => {
  const { slack } = parts.outside;
  const [team, account] = await Promise.all([slack.team(), slack.person(ticket.user)]);
  if (account.isBot) throw refuse('machine', 'This Slack account is a machine; only people decide');
  if (ticket.teamId !== team.id || account.teamId !== team.id)
    throw refuse('other-team', 'This Slack account is of another Slack workspace');
  const address = await parts.ask(addressOfMine, actor, {});
  const differs =
    account.email !== null && address !== null && account.email.toLowerCase() !== address.toLowerCase();
  if (differs)
    throw refuse('other-address', 'This Slack account has another e-mail address than you; it is not yours');
  return account;
};

/** The person in this browser, in the workspace that the link is for. */
const personOf = async (
  parts: LinkParts,
  request: FastifyRequest,
  ticket: LinkTicket,
): Promise<UserActor> => {
  // The link names the workspace; a page cannot send the header that says so elsewhere.
  if (ticket.workspaceId !== null) request.headers['x-countersign-workspace'] = ticket.workspaceId;
  const actor = await parts.actorOf(request);
  if (actor.kind !== 'user') throw refuse('person', 'An account is linked by a person, never by a machine');
  return actor;
};

/** Whether this browser has to sign in (again): there is nobody, or they did so before the link was asked for. */
const isFresh = ({ authenticatedAt, sessionId }: UserActor, { issuedAt }: LinkTicket): boolean =>
  sessionId !== null && authenticatedAt.getTime() + 10_000 >= Date.parse(issuedAt);

const page = (reply: FastifyReply, body: Markup, status = 200): FastifyReply =>
  sendPage(reply, { title: 'Countersign: link Slack', body: hypertext`<h1>Countersign</h1>${body}`, status });

const show = async (
  parts: LinkParts,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> => {
  const { searchParams } = new URL(request.url, 'http://localhost');
  const sealed = searchParams.get('ticket') ?? '';
  const ticket = readTicket(parts, sealed);
  const toSignIn = `/auth/login?fresh=1&returnTo=${encodeURIComponent(`/slack/link?ticket=${sealed}`)}`;
  const actor = await personOf(parts, request, ticket).catch((error: unknown) => {
    if (error instanceof AppError && error.code === 'UNAUTHENTICATED') return null;
    throw error;
  });
  if (!actor || !isFresh(actor, ticket))
    return reply.header('cache-control', 'no-store').redirect(toSignIn, 302);
  const account = await accountOf(parts, ticket, actor);
  const team = await parts.outside.slack.team();
  return page(
    reply,
    hypertext`<p>Link the Slack account <strong>${account.name}</strong> (${account.id}) of <strong>${team.name}</strong> to you,
      <strong>${actor.name}</strong>? Whoever holds that account can then reject, ask for changes and, where the policy
      allows it, approve as you. Do this only if you asked for it yourself.</p>
      <form method="post" action="/slack/link"><input type="hidden" name="ticket" value="${sealed}">
      <button>Link it</button></form>`,
  );
};

const link = async (
  parts: LinkParts,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> => {
  const ticket = readTicket(
    parts,
    request.body instanceof URLSearchParams ? request.body.get('ticket') : null,
  );
  const actor = await personOf(parts, request, ticket);
  const account = await accountOf(parts, ticket, actor);
  await parts.run(linkSlack, actor, {
    ticketId: ticket.ticketId,
    teamId: ticket.teamId,
    slackUserId: account.id,
    issuedAt: ticket.issuedAt,
  });
  return page(reply, hypertext`<p>Linked. Go back to Slack and press the button again.</p>`);
};

/** `/slack/link`: the page on which a person links their account. Seeing it links nothing. */
export const linkRoutes = (server: FastifyInstance, parts: LinkParts): void => {
  server.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string', bodyLimit: 4096 },
    (_request, body, done) => {
      done(null, new URLSearchParams(body.toString()));
    },
  );
  server.setErrorHandler((error, _request, reply: FastifyReply) => {
    const { status, body } = answerOf(error, parts.log);
    return page(reply, hypertext`<p>${body.error.message}.</p><p><a href="/">Start page</a></p>`, status);
  });
  server.get('/slack/link', (request, reply) => show(parts, request, reply));
  server.post('/slack/link', (request, reply) => link(parts, request, reply));
};
