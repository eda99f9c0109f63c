import { LogLevel, SocketModeClient } from '@slack/socket-mode';
import { z } from 'zod';
import type { Log } from '../kernel/log.js';

/** How to reach Slack over a socket that this side opens. */
export interface SlackSocketOptions {
  /** App-level token with `connections:write`. */
  readonly appToken: string;
  readonly apiUrl: string | null;
  readonly log: Log;
  /** Takes what arrived and says what to answer; what it throws is not acknowledged, so that Slack sends it again. */
  readonly receive: (arrived: {
    readonly kind: SlackSocketKind;
    readonly body: unknown;
  }) => Promise<object | null>;
  /** How long to wait before a first new try; tests wait less. */
  readonly firstPauseMs?: number;
}

const socketKind = z.enum(['interactive', 'events_api', 'slash_commands']);

/** What arrives over the socket. */
export type SlackSocketKind = z.output<typeof socketKind>;

/** A socket that is kept open. */
export interface SlackSocket {
  readonly close: () => Promise<void>;
}

interface Envelope {
  readonly type: string;
  readonly body: unknown;
  readonly ack: (answer?: object) => Promise<void>;
}

const longestPauseMs = 60_000;

const onEnvelope = async (
  { receive, log }: SlackSocketOptions,
  { type, body, ack }: Envelope,
): Promise<void> => {
  const kind = socketKind.safeParse(type).data;
  try {
    const answer = kind === undefined ? null : await receive({ kind, body });
    await (answer === null ? ack() : ack(answer));
  } catch (error) {
    log.warn({ err: error, kind: type }, 'Something from Slack could not be taken; it comes again');
  }
};

/** Nothing of the library's own lines: they may quote what people wrote. */
const silent = () => {
  const nothing = (): void => undefined;
  return {
    debug: nothing,
    info: nothing,
    warn: nothing,
    error: nothing,
    setLevel: nothing,
    getLevel: () => LogLevel.ERROR,
    setName: nothing,
  };
};

const clientOf = (options: SlackSocketOptions): SocketModeClient => {
  const client = new SocketModeClient({
    appToken: options.appToken,
    // The library's own way to connect again ends the process when Slack answers with a fault; ours does not.
    autoReconnectEnabled: false,
    logger: silent(),
    clientOptions: {
      ...(options.apiUrl === null ? {} : { slackApiUrl: options.apiUrl }),
      rejectRateLimitedCalls: true,
      retryConfig: { retries: 0 },
      timeout: 10_000,
    },
  });
  client.on('slack_event', (envelope: Envelope) => {
    void onEnvelope(options, envelope);
  });
  return client;
};

interface State {
  closing: boolean;
  client: SocketModeClient | null;
  timer: NodeJS.Timeout | null;
  failures: number;
}

const later = (state: State, ms: number, connect: () => void): void => {
  if (!state.closing) state.timer = setTimeout(connect, ms);
};

/** Connects, and again whenever the connection ends; Slack ends each one after some hours. */
const connectOver = (options: SlackSocketOptions, state: State): void => {
  const firstPauseMs = options.firstPauseMs ?? 1000;
  const again = (): void => {
    connectOver(options, state);
  };
  const client = clientOf(options);
  state.client = client;
  client.start().then(
    () => {
      state.failures = 0;
      options.log.info('Slack is connected over a socket');
      client.once('disconnected', () => {
        later(state, firstPauseMs / 10, again);
      });
    },
    (error: unknown) => {
      state.failures += 1;
      const pause = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(10, state.failures - 1));
      options.log.warn(
        { err: error, pauseMs: pause },
        'Slack could not be reached over a socket; it is tried again',
      );
      later(state, pause, again);
    },
  );
};

/** Keeps a socket to Slack open until it is closed. */
export const openSlackSocket = (options: SlackSocketOptions): SlackSocket => {
  const state: State = { closing: false, client: null, timer: null, failures: 0 };
  connectOver(options, state);
  return {
    close: async () => {
      state.closing = true;
      if (state.timer) clearTimeout(state.timer);
      await state.client?.disconnect();
    },
  };
};
