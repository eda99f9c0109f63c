import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { z } from 'zod';
import { methods, type FakeAnswer, type FakePerson, type FakeState } from './slack-methods.fake.js';
import { socketsOn, type FakeSockets } from './slack-socket.fake.js';

export type { FakeBlock, OpenedView, PostedMessage, Whispered } from './slack-methods.fake.js';

/** A server that speaks as much of the Web API and of Socket Mode as we use, and behaves as the documents say. */
export interface FakeSlack extends Pick<FakeState, 'posted' | 'updates' | 'whispers' | 'views' | 'teamId'> {
  readonly url: string;
  /** Every method that was called, refused ones included. */
  readonly calls: string[];
  readonly sockets: FakeSockets;
  /** The id of a channel that was given by name. */
  channel(name: string): string;
  addPerson(person: FakePerson): void;
  /** What a click brings along to open a form with; good for three seconds and once. */
  trigger(ageMs?: number): string;
  /** The next so many calls are refused with 429. */
  limitNext(calls: number, retryAfterSeconds: number): void;
  /** The next call is answered with a fault of the server. */
  failNext(): void;
  /** The next call does what it was asked, and its answer is lost. */
  loseNextAnswer(): void;
  /** Down until it is up again: nothing is answered but 503. */
  setDown(down: boolean): void;
  close(): Promise<void>;
}

const bodyOf = async (request: IncomingMessage): Promise<Record<string, unknown>> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString('utf8');
  if (request.headers['content-type']?.startsWith('application/json'))
    return z.record(z.string(), z.unknown()).parse(JSON.parse(text));
  // A form: structures travel as JSON in a field.
  const structured = new Set(['blocks', 'metadata', 'view']);
  return Object.fromEntries(
    [...new URLSearchParams(text)].map(([name, value]) => [
      name,
      structured.has(name) ? (JSON.parse(value) as unknown) : value,
    ]),
  );
};

interface Faults {
  limited: number;
  retryAfter: number;
  isFailing: boolean;
  losesAnswer: boolean;
  isDown: boolean;
}

interface Parts {
  readonly state: FakeState;
  readonly faults: Faults;
  readonly calls: string[];
  readonly appToken: string;
  readonly tickets: Set<string>;
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

/** Whether the call fails for a reason of its own, whatever was asked; then it was answered. */
const isFaulty = ({ faults }: Parts, response: ServerResponse): boolean => {
  if (faults.isDown || faults.isFailing) {
    faults.isFailing = false;
    answer(response, 503, { ok: false, error: 'service_unavailable' });
    return true;
  }
  if (faults.limited === 0) return false;
  faults.limited -= 1;
  answer(response, 429, { ok: false, error: 'ratelimited' }, { 'retry-after': String(faults.retryAfter) });
  return true;
};

const openConnection = ({ tickets }: Parts, request: IncomingMessage): FakeAnswer => {
  const ticket = randomUUID();
  tickets.add(ticket);
  return { url: `ws://${request.headers.host ?? ''}/link?ticket=${ticket}` };
};

const verdictOn = (parts: Parts, request: IncomingMessage, body: Record<string, unknown>): FakeAnswer => {
  const { state, appToken } = parts;
  const name = (request.url ?? '').replace('/api/', '');
  const token = request.headers.authorization?.replace(/^Bearer /, '') ?? body['token'];
  if (token === undefined) return { error: 'not_authed' };
  if (name === 'apps.connections.open') {
    return token === appToken ? openConnection(parts, request) : { error: 'invalid_auth' };
  }
  if (token !== state.token) return { error: 'invalid_auth' };
  return methods[name]?.(state, body) ?? { error: 'unknown_method' };
};

const handle = async (parts: Parts, request: IncomingMessage, response: ServerResponse): Promise<void> => {
  const body = await bodyOf(request);
  parts.calls.push((request.url ?? '').replace('/api/', ''));
  if (isFaulty(parts, response)) return;
  const verdict = verdictOn(parts, request, body);
  if (parts.faults.losesAnswer) {
    parts.faults.losesAnswer = false;
    response.destroy();
    return;
  }
  answer(response, 200, { ok: !('error' in verdict), ...verdict });
};

/** How the server begins. */
export interface FakeSlackOptions {
  readonly token: string;
  readonly channels: readonly string[];
  readonly appToken?: string;
}

const partsOf = ({ token, channels, appToken = 'none' }: FakeSlackOptions): Parts => ({
  appToken,
  calls: [],
  tickets: new Set(),
  faults: { limited: 0, retryAfter: 0, isFailing: false, losesAnswer: false, isDown: false },
  state: {
    token,
    teamId: 'T0ACME',
    channels: new Map(channels.map((name, index) => [name, `C0${String(index + 1).padStart(6, '0')}`])),
    people: new Map(),
    posted: [],
    updates: [],
    whispers: [],
    views: [],
    triggers: new Map(),
    clock: 0,
  },
});

/** Starts the server on a free port of loopback. */
export const startFakeSlack = async (options: FakeSlackOptions): Promise<FakeSlack> => {
  const parts = partsOf(options);
  const { state, faults, calls } = parts;
  const server = createServer((request, response) => {
    handle(parts, request, response).catch(() => {
      answer(response, 400, { ok: false, error: 'invalid_form_data' });
    });
  });
  const sockets = socketsOn(server, parts.tickets);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    ...state,
    url: `http://127.0.0.1:${String(port)}/api/`,
    calls,
    sockets,
    channel: (name) => state.channels.get(name) ?? '',
    addPerson: (person) => {
      state.people.set(person.id, person);
    },
    trigger: (ageMs = 0) => {
      const id = randomUUID();
      state.triggers.set(id, performance.now() - ageMs);
      return id;
    },
    limitNext: (count, retryAfterSeconds) => {
      faults.limited = count;
      faults.retryAfter = retryAfterSeconds;
    },
    failNext: () => {
      faults.isFailing = true;
    },
    loseNextAnswer: () => {
      faults.losesAnswer = true;
    },
    setDown: (down) => {
      faults.isDown = down;
    },
    close: () =>
      new Promise((resolve) => {
        sockets.close();
        server.closeAllConnections();
        server.close(() => {
          resolve();
        });
      }),
  };
};
