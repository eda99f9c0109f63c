import type { ServerResponse } from 'node:http';

const heartbeatMs = 15_000;
const longestMs = 3_600_000;

/** One message: the browser's EventSource and curl both read it. */
export const eventOf = (event: string, data: object, id: string): string =>
  `event: ${event}\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n`;

/** An open stream of server-sent events. */
export interface EventStream {
  /** Says something after what was said before, if the listener still may hear it. */
  say(text: string, last?: boolean): void;
  end(): void;
}

/** Who listens, and what happens when they no longer do. */
export interface Listener {
  /** Asked before everything that is said: who listens may have signed out or lost a role. */
  readonly may: () => Promise<boolean>;
  readonly left: () => void;
}

/** Begins a stream: heartbeats keep proxies from closing it, and it ends after an hour in any case. */
export const openEventStream = (raw: ServerResponse, listener: Listener): EventStream => {
  let queue = Promise.resolve();
  let over = false;
  const end = (last?: string): void => {
    if (over) return;
    over = true;
    clearInterval(heartbeat);
    clearTimeout(limit);
    listener.left();
    raw.end(last);
  };
  const isOver = (): boolean => over;
  const sayNow = async (text: string, last: boolean): Promise<void> => {
    if (isOver()) return;
    const may = await listener.may();
    if (isOver()) return;
    if (!may) end(eventOf('closed', { reason: 'You may not watch this any more' }, 'end'));
    else if (last) end(text);
    else raw.write(text);
  };
  const say = (text: string, last = false): void => {
    queue = queue.then(() => sayNow(text, last));
  };
  const heartbeat = setInterval(() => {
    say(': still there\n\n');
  }, heartbeatMs);
  const limit = setTimeout(end, longestMs);
  raw.on('close', () => {
    end();
  });
  raw.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
    'x-content-type-options': 'nosniff',
  });
  raw.write(': watching\n\n');
  return {
    say,
    end: () => {
      end();
    },
  };
};
