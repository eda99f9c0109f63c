import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { z } from 'zod';

/** A message as Slack would show it. */
export interface PostedMessage {
  readonly ts: string;
  readonly channel: string;
  readonly text: string;
  readonly blocks: readonly { readonly type: string; readonly text?: { readonly text: string } }[];
  readonly dedupeKey: string;
}

/** A server that speaks as much of the Web API as we use, and holds messages to the documented limits. */
export interface FakeSlack {
  readonly url: string;
  readonly posted: PostedMessage[];
  /** The next so many calls are refused with 429. */
  limitNext(calls: number, retryAfterSeconds: number): void;
  /** The next call is answered with a fault of the server. */
  failNext(): void;
  close(): Promise<void>;
}

const plainText = (most: number) =>
  z.strictObject({
    type: z.literal('plain_text'),
    text: z.string().min(1).max(most),
    emoji: z.boolean().optional(),
  });
const markdown = z.strictObject({ type: z.literal('mrkdwn'), text: z.string().min(1).max(3000) });
const block = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('header'), text: plainText(150) }),
  z.strictObject({
    type: z.literal('section'),
    text: markdown.optional(),
    fields: z
      .array(z.strictObject({ type: z.literal('mrkdwn'), text: z.string().min(1).max(2000) }))
      .max(10)
      .optional(),
  }),
  z.strictObject({ type: z.literal('divider') }),
]);

const message = z.object({
  channel: z.string().min(1),
  text: z.string().max(40_000),
  blocks: z.array(block).max(50),
  metadata: z.object({
    event_type: z.string().regex(/^\w+$/),
    event_payload: z.object({ dedupe_key: z.string() }),
  }),
});

const bodyOf = async (request: IncomingMessage): Promise<Record<string, unknown>> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString('utf8');
  if (request.headers['content-type']?.startsWith('application/json'))
    return z.record(z.string(), z.unknown()).parse(JSON.parse(text));
  // A form: structures travel as JSON in a field.
  const structured = new Set(['blocks', 'metadata']);
  return Object.fromEntries(
    [...new URLSearchParams(text)].map(([name, value]) => [
      name,
      structured.has(name) ? (JSON.parse(value) as unknown) : value,
    ]),
  );
};

interface State {
  limited: number;
  retryAfter: number;
  isFailing: boolean;
  readonly token: string;
  readonly channels: ReadonlySet<string>;
  readonly posted: PostedMessage[];
}

const answer = (
  response: ServerResponse,
  status: number,
  body: object,
  headers: Record<string, string> = {},
): void => {
  response
    .writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers })
    .end(JSON.stringify(body));
};

const accessFault = (
  state: State,
  request: IncomingMessage,
  body: Record<string, unknown>,
): string | null => {
  const token = request.headers.authorization?.replace(/^Bearer /, '') ?? body['token'];
  if (token === undefined) return 'not_authed';
  if (token !== state.token) return 'invalid_auth';
  if (request.url !== '/api/chat.postMessage') return 'unknown_method';
  return typeof body['channel'] === 'string' && state.channels.has(body['channel'])
    ? null
    : 'channel_not_found';
};

const verdictOn = (
  state: State,
  request: IncomingMessage,
  body: Record<string, unknown>,
): { error: string } | PostedMessage => {
  const fault = accessFault(state, request, body);
  if (fault !== null) return { error: fault };
  const parsed = message.safeParse(body);
  if (!parsed.success) {
    return { error: parsed.error.issues[0]?.path[0] === 'blocks' ? 'invalid_blocks' : 'invalid_arguments' };
  }
  const { channel, text, blocks, metadata } = parsed.data;
  const ts = `${String(1_700_000_000 + state.posted.length)}.000100`;
  return {
    ts,
    channel,
    text,
    blocks: blocks as PostedMessage['blocks'],
    dedupeKey: metadata.event_payload.dedupe_key,
  };
};

const handle = async (state: State, request: IncomingMessage, response: ServerResponse): Promise<void> => {
  const body = await bodyOf(request);
  if (state.isFailing) {
    state.isFailing = false;
    answer(response, 500, { ok: false, error: 'internal_error' });
    return;
  }
  if (state.limited > 0) {
    state.limited -= 1;
    answer(response, 429, { ok: false, error: 'ratelimited' }, { 'retry-after': String(state.retryAfter) });
    return;
  }
  const verdict = verdictOn(state, request, body);
  if ('error' in verdict) {
    answer(response, 200, { ok: false, error: verdict.error });
    return;
  }
  state.posted.push(verdict);
  answer(response, 200, { ok: true, channel: verdict.channel, ts: verdict.ts });
};

/** Starts the server on a free port of loopback. */
export const startFakeSlack = async (options: {
  token: string;
  channels: readonly string[];
}): Promise<FakeSlack> => {
  const state: State = {
    limited: 0,
    retryAfter: 0,
    isFailing: false,
    token: options.token,
    channels: new Set(options.channels),
    posted: [],
  };
  const server = createServer((request, response) => {
    handle(state, request, response).catch(() => {
      answer(response, 400, { ok: false, error: 'invalid_form_data' });
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${String(port)}/api/`,
    posted: state.posted,
    limitNext: (calls, retryAfterSeconds) => {
      state.limited = calls;
      state.retryAfter = retryAfterSeconds;
    },
    failNext: () => {
      state.isFailing = true;
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => {
          resolve();
        });
      }),
  };
};
