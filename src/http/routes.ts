import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Access } from '../kernel/access.js';
import type { Actor } from '../kernel/actor.js';
import type { RunCommand } from '../kernel/command.js';
import type { Log } from '../kernel/log.js';
import type { Outside } from '../kernel/ports.js';
import type { AskQuery } from '../kernel/query.js';
import type { RunRecording } from '../kernel/record.js';

/** What the routes of a feature are given. */
export interface HttpParts {
  readonly run: RunCommand;
  readonly ask: AskQuery;
  readonly record: RunRecording;
  readonly access: Access;
  readonly outside: Outside;
  readonly log: Log;
  /** Who asks, from the session or the token; refuses with UNAUTHENTICATED. */
  readonly actorOf: (request: FastifyRequest) => Promise<Actor>;
  /** Asks again who it is, without charging: for answers that take long, in which a session may have ended. */
  readonly actorAgain: (request: FastifyRequest) => Promise<Actor>;
  readonly artifactMaxBytes: number;
}

/** The routes of one feature (`<feature>.http.ts`); errors thrown become answers in `src/http/errors.ts`. */
export type Routes = (server: FastifyInstance, parts: HttpParts) => void;
