import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openWebhookSender, type WebhookSenderOptions } from './webhook-sender.js';

const seen: { request: IncomingMessage; body: string }[] = [];
let answer: RequestListener = (_, response) => response.writeHead(204).end();
let server: Server;
let port = 0;

beforeAll(async () => {
  server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      seen.push({ request, body: Buffer.concat(parts).toString() });
      answer(request, response);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  port = typeof address === 'object' && address !== null ? address.port : 0;
});
beforeEach(() => {
  seen.length = 0;
  answer = (_, response) => response.writeHead(204).end();
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const send = (
  url: string,
  options: Partial<WebhookSenderOptions> = {},
  signal = new AbortController().signal,
) =>
  openWebhookSender({ allowLoopback: true, ...options }).send({
    url,
    headers: { 'content-type': 'application/json', 'webhook-id': 'msg_1' },
    body: '{"type":"change.requested"}',
    signal,
  });

const here = (path = '/hook'): string => `http://127.0.0.1:${String(port)}${path}`;

test('a request arrives with its headers and its body, and the status comes back', async () => {
  expect(await send(here())).toEqual({ status: 204, retryAfterSeconds: null });
  expect(seen).toHaveLength(1);
  expect(seen[0]?.body).toBe('{"type":"change.requested"}');
  expect(seen[0]?.request.headers).toMatchObject({
    'webhook-id': 'msg_1',
    'content-type': 'application/json',
  });
});

test('a redirect is not followed', async () => {
  answer = (_, response) => response.writeHead(307, { location: here('/elsewhere') }).end();

  expect(await send(here())).toMatchObject({ status: 307 });
  expect(seen.map(({ request }) => request.url)).toEqual(['/hook']);
});

test.each([
  ['30', 30],
  ['999999999', 86_400],
  ['-1', null],
  ['Wed, 21 Oct 2026 07:28:00 GMT', null],
])('a receiver that asks to come back after %j is understood', async (header, seconds) => {
  answer = (_, response) => response.writeHead(429, { 'retry-after': header }).end();

  expect(await send(here())).toEqual({ status: 429, retryAfterSeconds: seconds });
});

test('an answer without end is not read to the end', async () => {
  let written = 0;
  answer = (_, response) => {
    response.writeHead(200);
    const chunk = Buffer.alloc(64 * 1024);
    const more = (): void => {
      while (!response.destroyed && written < 1e9) {
        written += chunk.length;
        if (!response.write(chunk)) return void response.once('drain', more);
      }
    };
    more();
  };

  expect(await send(here())).toMatchObject({ status: 200 });
  expect(written).toBeLessThan(50e6);
});

test('a receiver that never answers, or drips, does not hold a worker', async () => {
  const drips: NodeJS.Timeout[] = [];
  for (const slow of [
    () => undefined,
    (_: IncomingMessage, response: Parameters<RequestListener>[1]) => {
      response.writeHead(200);
      drips.push(setInterval(() => response.write('.'), 20));
    },
  ]) {
    answer = slow;
    const started = performance.now();
    await send(here(), { timeoutMs: 300 }).catch((error: unknown) => {
      expect(error).toMatchObject({ code: 'INTERNAL', message: 'The receiver did not answer in time' });
    });
    expect(performance.now() - started).toBeLessThan(3000);
  }
  drips.forEach(clearInterval);
});

describe('nothing is connected to', () => {
  test.each([
    ['on loopback, when that is not allowed', () => here(), { allowLoopback: false }],
    [
      'on localhost, when that is not allowed',
      () => `http://localhost:${String(port)}/`,
      { allowLoopback: false },
    ],
    ['in a private network', () => 'https://10.0.0.1/', {}],
    ['where metadata are', () => 'https://169.254.169.254/', {}],
    ['by an address that cannot be read', () => 'https://', {}],
  ])('%s', async (_, url, options) => {
    await expect(send(url(), options)).rejects.toMatchObject({
      code: 'FORBIDDEN',
      details: { rule: 'egress' },
    });
    expect(seen).toEqual([]);
  });

  test('by a public name that resolves to this machine, or to it among others', async () => {
    for (const addresses of [['127.0.0.1'], ['93.184.215.14', '127.0.0.1'], ['::ffff:127.0.0.1']]) {
      const resolve = () =>
        Promise.resolve(addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })));
      const sending = send('https://hooks.example/', { resolve });
      await expect(sending).rejects.toMatchObject({ code: 'FORBIDDEN' });
    }
    expect(seen).toEqual([]);
  });

  test('by a name that changes its mind between two requests: each is judged as it connects', async () => {
    const answers = ['127.0.0.1', '10.0.0.1'];
    const asked: string[] = [];
    const resolve = (host: string) => {
      asked.push(host);
      return Promise.resolve([{ address: answers[asked.length - 1] ?? '10.0.0.1', family: 4 }]);
    };
    const sender = openWebhookSender({ allowLoopback: true, resolve });
    const url = `http://localhost:${String(port)}/`;
    const once = () => sender.send({ url, headers: {}, body: '', signal: new AbortController().signal });

    await expect(once()).resolves.toMatchObject({ status: 204 });
    await expect(once()).rejects.toMatchObject({ code: 'FORBIDDEN' });
    expect(asked).toEqual(['localhost', 'localhost']);
    expect(seen).toHaveLength(1);
  });

  test('by localhost when it leads elsewhere', async () => {
    const resolve = () => Promise.resolve([{ address: '10.0.0.1', family: 4 }]);

    await expect(send('http://localhost:1/', { resolve })).rejects.toMatchObject({ code: 'FORBIDDEN' });
  });
});

test.each([
  [
    'a host that is not known',
    { resolve: () => Promise.reject(Object.assign(new Error('x'), { code: 'ENOTFOUND' })) },
  ],
  ['a host without an address', { resolve: () => Promise.resolve([]) }],
])('%s is said without a word of the network', async (_, options) => {
  const sending = send('https://hooks.example/', options);

  await expect(sending).rejects.toMatchObject({
    code: 'INTERNAL',
    message: expect.stringMatching(/^The (host of the )?receiver /) as string,
  });
});

test('a port on which nobody listens is said to be out of reach', async () => {
  await expect(send('http://127.0.0.1:1/')).rejects.toMatchObject({
    code: 'INTERNAL',
    message: 'The receiver could not be reached',
  });
});

test('a request that is stopped from outside is no answer of the receiver', async () => {
  answer = () => undefined;
  const stop = new AbortController();
  const sending = send(here(), {}, stop.signal);
  setTimeout(() => {
    stop.abort(new Error('the worker ends'));
  }, 50);

  await expect(sending).rejects.toThrow('the worker ends');
});
