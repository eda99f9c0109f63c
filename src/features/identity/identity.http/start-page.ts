import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { healthOf, type Check } from '../../../http/health.js';
import { actorOfSession } from '../authenticate.js';
import type { LiveSession } from '../sessions.js';
import type { OpenIdentityDoor, ShownReport } from './door.js';
import { hypertext, sendPage, type Markup } from '../../../http/pages.js';
import { sessionOf } from './sign-in.js';

const signedOut = hypertext`<p>You are not signed in.</p>
  <p><a class="button" href="/auth/login?returnTo=/">Sign in</a></p>`;

const nowhere = (session: LiveSession): Markup =>
  hypertext`<p>
    You are a member of no workspace yet. Ask an administrator to add you and tell them your id:
    <code>${session.userId}</code>
  </p>`;

const shownTime = (at: Date): string => `${at.toISOString().slice(0, 16).replace('T', ' ')} UTC`;

const switcher = (session: LiveSession, current: string | null): Markup | null => {
  if (session.memberships.length < 2) return null;
  const options = session.memberships.map(({ workspaceId, name }) => {
    const selected = workspaceId === current ? hypertext` selected` : null;
    return hypertext`<option value="${workspaceId}"${selected}>${name}</option>\n`;
  });
  return hypertext`<form method="post" action="/auth/workspace">
<label>Workspace <select name="workspace">${options}</select></label>
<button>Switch</button>
</form>`;
};

const signedIn = (session: LiveSession): Markup => {
  const actor = actorOfSession(session, null);
  const place = session.memberships.find(({ workspaceId }) => workspaceId === actor.workspaceId);
  const rows = hypertext`<table>
    <tr>
      <th>Name</th>
      <td>${session.name}</td>
    </tr>
    <tr>
      <th>Workspace</th>
      <td>${place?.name ?? 'none chosen'}</td>
    </tr>
    <tr>
      <th>Roles here</th>
      <td>${actor.roles.join(', ') || 'none'}</td>
    </tr>
    <tr>
      <th>Signed in at</th>
      <td>${shownTime(session.authenticatedAt)}</td>
    </tr>
  </table>`;
  return hypertext`${rows}
${session.memberships.length === 0 ? nowhere(session) : null}
<div>${switcher(session, actor.workspaceId)}
<form method="post" action="/auth/logout"><button>Sign out</button></form>
<a href="/auth/login?fresh=1&amp;returnTo=/">Sign in afresh</a></div>`;
};

const checkRow = (check: Check): Markup =>
  hypertext`<tr>
    <th>${check.name}</th>
    <td>${check.ok ? check.says : hypertext`<span class="bad">${check.says}</span>`}</td>
  </tr>`;

const whatRuns = (door: OpenIdentityDoor, checks: readonly Check[]): Markup =>
  hypertext`<h2>What is running</h2>
    <table>
      <tr>
        <th>version</th>
        <td>${door.version} (${door.mode})</td>
      </tr>
      ${checks.map(checkRow)}
      ${door.running.map(
        ({ name, says }) =>
          hypertext`<tr>
            <th>${name}</th>
            <td>${says}</td>
          </tr> `,
      )}
    </table>`;

const reportItem = ({ title, at, files }: ShownReport): Markup => {
  const links = files.map(({ href, label }) => hypertext` <a href="${href}">${label}</a>`);
  return hypertext`<li>${title}, ${shownTime(at)}:${links}</li> `;
};

const newestReports = async (door: OpenIdentityDoor, session: LiveSession): Promise<Markup | null> => {
  const reports = await door.reportsFor(actorOfSession(session, null));
  if (reports === null) return null;
  const list = hypertext`<ul>
    ${reports.map(reportItem)}
  </ul>`;
  const none = hypertext`<p>None yet. <a href="/docs/reports.md">How a report is rendered</a></p>`;
  return hypertext`<h2>Newest reports</h2>
    ${reports.length === 0 ? none : list}`;
};

const whereTo = (door: OpenIdentityDoor): Markup =>
  hypertext`<h2>Where to go</h2>
    <ul>
      ${door.links.map(({ href, label }) => hypertext`<li><a href="${href}">${label}</a></li> `)}
    </ul>`;

const startPage = async (
  door: OpenIdentityDoor,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> => {
  const session = await sessionOf(door, request);
  // Strangers learn nothing of an installation in production.
  const open = session !== null || door.mode === 'development';
  const health = open ? await healthOf(door.db, door.metrics) : null;
  const body = hypertext`<h1>Countersign</h1>
    <p>Nothing automated decides about people until someone accountable has countersigned it.</p>
    <h2>Who you are</h2>
    ${session ? signedIn(session) : signedOut} ${session ? await newestReports(door, session) : null}
    ${health ? whatRuns(door, health.checks) : null}
    ${open ? whereTo(door) : null}`;
  const formOrigins = door.providerOrigin === null ? [] : [door.providerOrigin];
  return sendPage(reply, { title: 'Countersign', body, formOrigins });
};

/** `/`: who you are, the newest reports, what is running, where to go. */
export const startPageRoutes = (server: FastifyInstance, door: OpenIdentityDoor): void => {
  server.get('/', (request, reply) => startPage(door, request, reply));
};
