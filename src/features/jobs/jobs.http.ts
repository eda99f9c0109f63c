import type { ServerResponse } from 'node:http';
import type { FastifyRequest } from 'fastify';
import type { HttpParts, Routes } from '../../http/routes.js';
import { systemActor, type Actor } from '../../kernel/actor.js';
import { AppError } from '../../kernel/errors.js';
import { eventOf, openEventStream, type EventStream } from './event-stream.js';
import { openWatch, type Watch } from './job-watch.js';
import { jobById, type JobView } from './jobs.queries.js';

const perActor = 10;
const perProcess = 500;

/** Streams that are open in this process. */
interface Streams {
  readonly watch: Watch<JobView>;
  readonly open: Map<EventStream, string>;
}

const holderOf = (actor: Actor): string => `${actor.kind}:${actor.id}`;

const requireRoom = ({ open }: Streams, actor: Actor): void => {
  const own = [...open.values()].filter((holder) => holder === holderOf(actor)).length;
  const full = own >= perActor ? perActor : open.size >= perProcess ? perProcess : null;
  if (full === null) return;
  throw new AppError(
    'RATE_LIMITED',
    `${String(full)} jobs are being watched already; close one, or ask for the job by GraphQL`,
    { rule: 'open-streams', limit: full },
  );
};

const finished = (job: JobView): boolean => job.state === 'DONE' || job.state === 'FAILED';

const stillMay = async (parts: HttpParts, request: FastifyRequest, workspaceId: string): Promise<boolean> => {
  try {
    const actor = await parts.actorAgain(request);
    return actor.workspaceId === workspaceId && parts.access.may(actor, 'job:read');
  } catch {
    return false;
  }
};

/** Tells a listener of each change until the job has ended. */
const teller = (stream: EventStream): ((seen: JobView | Error) => void) => {
  let told = 0;
  return (seen) => {
    if (seen instanceof Error) {
      stream.say(eventOf('closed', { reason: 'The job cannot be read any more' }, 'end'), true);
      return;
    }
    told += 1;
    stream.say(eventOf('progress', seen, String(told)));
    if (finished(seen)) stream.say(eventOf('end', seen, 'end'), true);
  };
};

interface Asked {
  readonly actor: Actor;
  readonly workspaceId: string;
  readonly id: string;
  readonly may: () => Promise<boolean>;
}

const begin = (streams: Streams, parts: HttpParts, raw: ServerResponse, asked: Asked): void => {
  const { actor, workspaceId, id } = asked;
  let stop = (): void => undefined;
  const stream = openEventStream(raw, {
    may: asked.may,
    left: () => {
      stop();
      streams.open.delete(stream);
    },
  });
  streams.open.set(stream, holderOf(actor));
  // One look serves all who watch, whoever they are, so it is made in the door's own name.
  const door = systemActor('door:jobs', { workspaceId, organizationId: actor.organizationId });
  const look = (): Promise<JobView> => parts.ask(jobById, door, { id });
  const watching = streams.watch.start(`${workspaceId} ${id}`, look, teller(stream));
  stop = () => {
    watching.stop();
  };
};

/** `GET /v1/jobs/:id/events`: how far a job is, as server-sent events until it has ended. */
export const jobRoutes: Routes = (server, parts) => {
  const streams: Streams = { watch: openWatch(), open: new Map() };
  server.addHook('preClose', (done) => {
    for (const stream of [...streams.open.keys()]) stream.end();
    done();
  });
  server.get<{ Params: { id: string } }>('/v1/jobs/:id/events', async (request, reply) => {
    const actor = await parts.actorOf(request);
    const { id } = await parts.ask(jobById, actor, { id: request.params.id });
    // EventSource comes back after every end; this tells it that there is nothing more.
    if (request.headers['last-event-id'] === 'end') return reply.code(204).send();
    const { workspaceId } = actor;
    if (workspaceId === null) throw new AppError('PRECONDITION_FAILED', 'Choose a workspace first');
    requireRoom(streams, actor);
    reply.hijack();
    const may = (): Promise<boolean> => stillMay(parts, request, workspaceId);
    begin(streams, parts, reply.raw, { actor, workspaceId, id, may });
    return reply;
  });
};
