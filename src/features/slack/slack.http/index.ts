import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Door, DoorParts } from '../../../http/server.js';
import type { Clock } from '../../../kernel/clock.js';
import { AppError, invalidInput } from '../../../kernel/errors.js';
import { slackReceiver, type Arrived } from '../receiver.js';
import { linkRoutes } from './link.js';

const kibibyte = 1024;

const single = (value: string | string[] | undefined): string | null =>
  typeof value === 'string' ? value : null;

const noBody = Buffer.alloc(0);

/** Only what Slack signed goes on; the signature is over the bytes, so nothing is parsed before. */
const requireGenuine = async (
  { outside, limits, clock }: DoorParts & { readonly clock: Clock },
  request: FastifyRequest,
): Promise<Buffer> => {
  const body = Buffer.isBuffer(request.body) ? request.body : noBody;
  const signed = {
    body,
    timestamp: single(request.headers['x-slack-request-timestamp']),
    signature: single(request.headers['x-slack-signature']),
  };
  if (outside.slack.isGenuine(signed, clock.now())) return body;
  await limits.failure(request.ip);
  throw new AppError('UNAUTHENTICATED', 'The request is not signed by Slack, or not within five minutes', {
    reason: 'signature',
  });
};

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw invalidInput('The body is not valid JSON');
  }
};

type Reader = (body: Buffer) => Arrived;

const readInteraction: Reader = (body) => ({
  kind: 'interactive',
  body: parseJson(new URLSearchParams(body.toString('utf8')).get('payload') ?? ''),
});
const readEvent: Reader = (body) => ({ kind: 'events_api', body: parseJson(body.toString('utf8')) });
const readCommand: Reader = (body) => ({
  kind: 'slash_commands',
  body: Object.fromEntries(new URLSearchParams(body.toString('utf8'))),
});

const form = 'application/x-www-form-urlencoded';
const json = 'application/json';

const paths = [
  ['/slack/interactions', form, readInteraction],
  ['/slack/events', json, readEvent],
  ['/slack/commands', form, readCommand],
] as const;

/** The addresses to which Slack sends; each takes one content type, as raw bytes, and answers at once. */
const requestRoutes = async (
  server: FastifyInstance,
  parts: DoorParts & { readonly clock: Clock },
): Promise<void> => {
  const receive = slackReceiver({ run: parts.run, slack: parts.outside.slack, clock: parts.clock });
  for (const [path, contentType, read] of paths) {
    await server.register(async (scope) => {
      scope.removeAllContentTypeParsers();
      scope.addContentTypeParser(
        contentType,
        { parseAs: 'buffer', bodyLimit: 128 * kibibyte },
        (_request, body, done) => {
          done(null, body);
        },
      );
      scope.post(path, async (request: FastifyRequest, reply: FastifyReply) => {
        const body = await requireGenuine(parts, request);
        const acknowledgement = await receive(read(body));
        void reply.header('cache-control', 'no-store');
        return acknowledgement === null ? reply.send() : reply.type('application/json').send(acknowledgement);
      });
    });
  }
};

/** Everything that Slack and its people ask over HTTP. */
export const slackDoor =
  (clock: Clock): Door =>
  async (server, doorParts) => {
    const parts = { ...doorParts, clock };
    await requestRoutes(server, parts);
    await server.register(async (scope) => {
      linkRoutes(scope, parts);
    });
  };
