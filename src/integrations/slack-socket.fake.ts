import { createHash, randomUUID } from 'node:crypto';
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { z } from 'zod';

/** The side of Socket Mode that Slack has: connections, envelopes, and what was answered to them. */
export interface FakeSockets {
  readonly count: () => number;
  /** Sends an envelope over one connection and waits for its acknowledgement, or null when none comes in time. */
  readonly send: (kind: string, body: unknown, withinMs?: number) => Promise<object | null>;
  /** Tells every connection that it ends, as Slack does every few hours, or cuts it without a word. */
  readonly disconnect: (how?: 'politely' | 'cut') => void;
  readonly close: () => void;
}

const acknowledgement = z.object({
  envelope_id: z.string(),
  payload: z.record(z.string(), z.unknown()).default({}),
});

const guid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

const frame = (opcode: number, payload: Buffer): Buffer => {
  const { length } = payload;
  const head =
    length < 126
      ? Buffer.of(0x80 | opcode, length)
      : Buffer.from([0x80 | opcode, 126, (length >> 8) & 255, length & 255]);
  return Buffer.concat([head, payload]);
};

interface Frame {
  readonly opcode: number;
  readonly payload: Buffer;
  readonly rest: Buffer;
}

/** Reads one masked frame of a client (RFC 6455), or null while it is not there as a whole. */
const readFrame = (data: Buffer): Frame | null => {
  if (data.length < 6) return null;
  const opcode = data.readUInt8(0) & 15;
  const short = data.readUInt8(1) & 127;
  const start = short === 126 ? 4 : 2;
  if (short === 127 || data.length < start + 4) return null;
  const length = short === 126 ? data.readUInt16BE(2) : short;
  const end = start + 4 + length;
  if (data.length < end) return null;
  const mask = data.subarray(start, start + 4);
  const payload = Buffer.from(data.subarray(start + 4, end));
  for (let index = 0; index < length; index += 1)
    payload[index] = (payload[index] ?? 0) ^ (mask[index % 4] ?? 0);
  return { opcode, payload, rest: data.subarray(end) };
};

const opcodes = { text: 1, close: 8, ping: 9, pong: 10 } as const;

const listen = (socket: Duplex, onText: (text: string) => void, onClose: () => void): void => {
  let waiting = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    waiting = Buffer.concat([waiting, chunk]);
    for (let next = readFrame(waiting); next; next = readFrame(waiting)) {
      waiting = Buffer.from(next.rest);
      if (next.opcode === opcodes.text) onText(next.payload.toString('utf8'));
      if (next.opcode === opcodes.ping) socket.write(frame(opcodes.pong, next.payload));
      if (next.opcode !== opcodes.close) continue;
      onClose();
      socket.end(frame(opcodes.close, next.payload));
    }
  });
};

const shakeHands = (request: IncomingMessage, socket: Duplex): void => {
  const key = request.headers['sec-websocket-key'] ?? '';
  const accept = createHash('sha1').update(`${key}${guid}`).digest('base64');
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
};

/** Takes the connections of Socket Mode on a server; only with a ticket that apps.connections.open gave, once. */
export const socketsOn = (server: Server, tickets: Set<string>): FakeSockets => {
  const open = new Set<Duplex>();
  const waiting = new Map<string, (answer: object) => void>();
  const say = (socket: Duplex, message: object): void => {
    socket.write(frame(opcodes.text, Buffer.from(JSON.stringify(message))));
  };
  server.on('upgrade', (request, socket) => {
    const ticket = new URL(request.url ?? '/', 'http://localhost').searchParams.get('ticket') ?? '';
    socket.on('error', () => socket.destroy());
    if (!tickets.delete(ticket)) {
      socket.end('HTTP/1.1 401 Unauthorized\r\n\r\n');
      return;
    }
    shakeHands(request, socket);
    open.add(socket);
    const gone = (): void => {
      open.delete(socket);
    };
    socket.on('close', gone);
    const onText = (text: string): void => {
      const { envelope_id: id, payload } = acknowledgement.parse(JSON.parse(text));
      waiting.get(id)?.(payload);
      waiting.delete(id);
    };
    listen(socket, onText, gone);
    say(socket, { type: 'hello', num_connections: open.size });
  });
  return {
    count: () => open.size,
    send: (kind, body, withinMs = 3000) => {
      const [socket] = open;
      if (!socket) return Promise.resolve(null);
      const id = randomUUID();
      return new Promise((resolve) => {
        const timer = setTimeout(() => {
          waiting.delete(id);
          resolve(null);
        }, withinMs);
        waiting.set(id, (answer) => {
          clearTimeout(timer);
          resolve(answer);
        });
        say(socket, { type: kind, envelope_id: id, payload: body, accepts_response_payload: true });
      });
    },
    disconnect: (how = 'politely') => {
      for (const socket of open) {
        if (how === 'cut') socket.destroy();
        else say(socket, { type: 'disconnect', reason: 'refresh_requested' });
      }
    },
    close: () => {
      for (const socket of open) socket.destroy();
    },
  };
};
