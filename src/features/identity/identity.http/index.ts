import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { answerOf } from '../../../http/errors.js';
import type { Door, DoorParts } from '../../../http/server.js';
import { changePageRoutes } from './change-page.js';
import { documentRoutes } from './documents.js';
import type { IdentityDoor, OpenIdentityDoor } from './door.js';
import { hypertext, sendPage } from '../../../http/pages.js';
import { signInRoutes } from './sign-in.js';
import { startPageRoutes } from './start-page.js';

export type { IdentityDoor, Link, RunningPart, ShownReport } from './door.js';

/** These pages are read by people: what went wrong is a page too, with the way to go on. */
const answerErrorsByPage = (server: FastifyInstance, door: IdentityDoor): void => {
  server.setErrorHandler((error, _request: FastifyRequest, reply: FastifyReply) => {
    const { status, body } = answerOf(error, door.log);
    const wait = 'retryAfterSeconds' in body.error.details ? body.error.details.retryAfterSeconds : null;
    if (typeof wait === 'number') void reply.header('retry-after', String(wait));
    const page = hypertext`<h1>Countersign</h1>
      <p>${body.error.message.replace(/\.?$/, '.')}</p>
      <p><a class="button" href="/auth/login?returnTo=/">Sign in</a> <a href="/">Start page</a></p>`;
    return sendPage(reply, { title: 'Countersign', body: page, status });
  });
};

/** Sign-in, sign-out, the start page and the documents. */
export const identityDoor =
  (door: IdentityDoor): Door =>
  (server: FastifyInstance, { cookies, limits }: DoorParts) => {
    const open: OpenIdentityDoor = { ...door, cookies, limits };
    answerErrorsByPage(server, door);
    signInRoutes(server, open);
    startPageRoutes(server, open);
    documentRoutes(server, open);
    changePageRoutes(server, open);
  };
