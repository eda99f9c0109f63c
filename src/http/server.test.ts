import { Writable } from 'node:stream';
import { pino } from 'pino';
import { v7 } from 'uuid';
import { beforeAll, describe, expect, test } from 'vitest';
import { AppError } from '../kernel/errors.js';
import { asSystem } from '../kernel/system.js';
import { currentTrace } from '../kernel/trace.js';
import { openTestDoor, type TestDoor } from '../testing/http-door.js';
import { testApp, type TestApp } from '../testing/test-app.js';
import { openDoor } from '../door.js';
import { readConfig } from '../config.js';

let app: TestApp;
let door: TestDoor;
const lines: Record<string, unknown>[] = [];

beforeAll(async () => {
  const plain = await testApp();
  const sink = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      lines.push(JSON.parse(chunk.toString()) as Record<string, unknown>);
      done();
    },
  });
  app = { ...plain, log: pino({ level: 'info' }, sink) };
  await app.actor('engineer');
  await app.actor('validator');
  door = await openTestDoor(app, {
    environment: { RATE_LIMIT_PER_MINUTE: '20' },
    limits: { signInsPerMinute: 5, failuresPerMinute: 7 },
    doors: [
      (server, { actorOf, limits }) => {
        server.post('/test/echo', (request) => ({ body: request.body, trace: currentTrace()?.requestId }));
        server.get('/test/bug', () => {
          throw new TypeError('secret of the code');
        });
        server.get('/test/refusal', () => {
          throw new AppError('CONFLICT', 'It is so', { rule: 'test' });
        });
        server.get('/test/charge', async (request) => {
          await limits.charge(await actorOf(request), 4);
          return {};
        });
        server.get('/test/slow', async () => {
          await new Promise((resolve) => setTimeout(resolve, 300));
          return { slow: true };
        });
      },
    ],
  });
});

const send = (path: string, init: RequestInit = {}): Promise<Response> =>
  fetch(new URL(path, door.url), init);

const json = (body: string, headers: Record<string, string> = {}): RequestInit => ({
  method: 'POST',
  body,
  headers: { 'content-type': 'application/json', ...headers },
});

describe('a request', () => {
  test('keeps the id its caller gave, in the answer, the log and the work', async () => {
    const response = await send('/test/echo', json('{"a":1}', { 'x-request-id': 'caller-0001' }));

    expect(response.headers.get('x-request-id')).toBe('caller-0001');
    expect(await response.json()).toEqual({ body: { a: 1 }, trace: 'caller-0001' });
    const line = lines.find((entry) => entry['requestId'] === 'caller-0001');
    expect(line).toMatchObject({ method: 'POST', route: '/test/echo', status: 200, msg: 'request' });
  });

  test.each(['short', 'has space in it', 'x'.repeat(65), '<script>alert(1)</script>'])(
    'gets another id instead of %j',
    async (id) => {
      const response = await send('/health/live', { headers: { 'x-request-id': id } });
      expect(response.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    },
  );

  test.each([
    ['that is not JSON', json('{"a":'), 400],
    ['that is empty', json(''), 400],
    ['of another type', { ...json('a=1'), headers: { 'content-type': 'application/xml' } }, 415],
    [
      'of plain text, as foreign forms send it',
      { ...json('{"a":1}'), headers: { 'content-type': 'text/plain' } },
      415,
    ],
    ['that is too large', json(JSON.stringify('x'.repeat(300 * 1024))), 413],
    ['that poisons a prototype', json('{"__proto__":{"admin":true}}'), 400],
  ])('with a body %s is refused in one shape', async (_, init, status) => {
    const response = await send('/test/echo', init);

    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({
      error: { code: 'INVALID_INPUT', message: expect.any(String) },
    });
  });

  test.each([
    ['with an escape that stands for no character', '/v1/%ff', 400],
    ['with a part that is too long', `/v1/jobs/${'x'.repeat(1100)}/events`, 414],
  ])('to an address %s is refused in the same shape', async (_, path, status) => {
    const response = await send(path);

    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({
      error: { code: 'INVALID_INPUT', message: expect.not.stringContaining('%ff') },
    });
  });

  test('whose body is JSON, but has a refused key, is not told that it is no JSON', async () => {
    const response = await send('/test/echo', json('{"constructor":{"prototype":{}}}'));
    expect(await response.text()).toContain(
      'has a key that is never accepted (__proto__, constructor.prototype)',
    );
  });

  test('to nowhere is told so', async () => {
    const response = await send('/nowhere?token=secret');
    expect(response.status).toBe(404);
    expect(await response.text()).not.toContain('secret');
  });
});

describe('an answer', () => {
  test('to a refusal has its code, sentence and details', async () => {
    const response = await send('/test/refusal');
    expect(response.status).toBe(409);
    expect(await response.json()).toEqual({
      error: { code: 'CONFLICT', message: 'It is so', details: { rule: 'test' } },
    });
  });

  test('to a bug tells nothing but a number under which the log has it', async () => {
    const response = await send('/test/bug');
    const text = await response.text();

    expect(response.status).toBe(500);
    expect(text).not.toContain('secret of the code');
    const { error } = JSON.parse(text) as { error: { details: { errorId: string } } };
    const line = lines.find((entry) => entry['errorId'] === error.details.errorId);
    expect(line).toMatchObject({ err: { message: 'secret of the code' } });
  });

  test('lets nothing but its own pictures be loaded, and nothing be framed or guessed', async () => {
    const { headers } = await send('/');
    expect(headers.get('content-security-policy')).toMatch(
      /^default-src 'none'; style-src 'sha256-[^']+'; img-src 'self'; form-action 'self' http/,
    );
    expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('referrer-policy')).toBe('same-origin');
    expect(headers.get('x-powered-by')).toBeNull();
  });
});

describe('an operator', () => {
  test('reads that the process lives and is ready, part by part', async () => {
    expect(await (await send('/health/live')).json()).toEqual({ status: 'live' });
    const ready = await send('/health/ready');
    expect(ready.status).toBe(200);
    expect(await ready.json()).toMatchObject({
      status: 'ready',
      checks: [
        { name: 'database', ok: true },
        { name: 'queue', ok: true },
        { name: 'door', ok: true },
      ],
    });
  });

  test('reads what is not ready when work lies too long', async () => {
    const id = v7({ msecs: Date.now() - 120_000 });
    await asSystem(app.db, (tx) =>
      tx.sql(
        `insert into outbox (id, job, queue, payload, available_at) values ($1, 'test.job', 'light', '{}', now() - interval '2 minutes')`,
        [id],
      ),
    );
    const ready = await send('/health/ready');
    await asSystem(app.db, (tx) => tx.sql('delete from outbox where id = $1', [id]));

    expect(ready.status).toBe(503);
    const { status, checks } = (await ready.json()) as {
      status: string;
      checks: { name: string; ok: boolean; says: string }[];
    };
    expect(status).toBe('not ready');
    expect(checks.find((check) => check.name === 'queue')).toMatchObject({
      ok: false,
      says: expect.stringContaining('is a worker running?'),
    });
    expect((await send('/health/live')).status).toBe(200);
  });

  test('reads metrics of doors and connections', async () => {
    await send('/test/refusal');
    const text = await (await send('/metrics')).text();
    expect(text).toMatch(
      /countersign_door_seconds_count\{door="http",route="\/test\/refusal",status="409"\} \d/,
    );
    expect(text).toMatch(/countersign_db_connections\{role="app_writer",state="idle"\} \d/);
  });
});

describe('limits', () => {
  test('stop a token that has used up its minute, not another one', async () => {
    const headers = { authorization: `Bearer ${await door.tokenOf('engineer')}` };
    const statuses: number[] = [];
    for (let request = 0; request < 5; request += 1)
      statuses.push((await send('/test/charge', { headers })).status);

    const refused = await send('/test/charge', { headers });

    expect(statuses).toEqual([200, 200, 200, 200, 429]);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await refused.json()).toMatchObject({ error: { code: 'RATE_LIMITED', details: { limit: 20 } } });
    const other = { authorization: `Bearer ${await door.tokenOf('validator')}` };
    expect((await send('/test/charge', { headers: other })).status).toBe(200);
  });

  test('are one for all tokens of a person', async () => {
    const headers = { authorization: `Bearer ${await door.tokenOf('engineer')}` };
    expect((await send('/test/charge', { headers })).status).toBe(429);
  });

  test('stop an address that tries wrong tokens', async () => {
    const statuses: number[] = [];
    for (let request = 0; request < 9; request += 1) {
      const headers = { authorization: `Bearer csn_sa_${'A'.repeat(36)}` };
      statuses.push((await send('/test/charge', { headers })).status);
    }
    expect([...new Set(statuses)]).toEqual([401, 429]);
  });

  test('stop an address that begins too many sign-ins', async () => {
    const statuses: number[] = [];
    for (let request = 0; request < 7; request += 1) {
      statuses.push((await send('/auth/login', { redirect: 'manual' })).status);
    }
    expect(statuses).toEqual([302, 302, 302, 302, 302, 429, 429]);
  });
});

describe('the address of a request', () => {
  const begun = async (url: string): Promise<number[]> => {
    const statuses: number[] = [];
    for (const address of ['192.0.2.1', '192.0.2.2', '192.0.2.3']) {
      const headers = { 'x-forwarded-for': address };
      statuses.push((await fetch(`${url}/auth/login`, { redirect: 'manual', headers })).status);
    }
    return statuses;
  };

  test.each([
    ['is not what just anybody writes into a header', {}, [302, 429, 429]],
    ['is what a trusted proxy says', { TRUSTED_PROXIES: '127.0.0.0/8, 10.0.0.1' }, [302, 302, 302]],
  ])('%s', async (_, environment: Record<string, string>, expected) => {
    const { url } = await openTestDoor(app, { environment, limits: { signInsPerMinute: 1 } });
    expect(await begun(url)).toEqual(expected);
  });
});

describe('documents', () => {
  test('are listed and read as text; what is not listed is not there', async () => {
    const list = await (await send('/docs')).text();
    const [, first = ''] = /href="(\/docs\/[^"]+)"/.exec(list) ?? [];
    const document = await send(first);
    expect([document.status, document.headers.get('content-type')]).toEqual([
      200,
      'text/plain; charset=utf-8',
    ]);
    for (const path of ['/docs/..%2fpackage.json', '/docs/%2e%2e/package.json', '/docs/none.md']) {
      expect((await send(path)).status).toBe(404);
    }
  });

  test('stand under their titles, the guide for newcomers first', async () => {
    const list = await (await send('/docs/')).text();
    const titles = [...list.matchAll(/<a href="\/docs\/([^"]+)">([^<]+)<\/a>/g)].map(([, , title]) => title);

    expect(titles[0]).toBe('Five minutes');
    expect(titles).toContain('Running in production');
    expect(titles.filter((title) => title?.endsWith('.md'))).toEqual([]);
  });

  test('have links in a browser, to pages that are there', async () => {
    const answer = await send('/docs/quickstart.md', { headers: { accept: 'text/html' } });
    const links = [...(await answer.text()).matchAll(/href="(\/docs\/[^"]+)"/g)].map(([, link = '']) => link);

    expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(links).toContain('/docs/concepts.md');
    for (const link of links) expect((await send(link)).status, link).toBe(200);
  });
});

test('closing finishes what is under way and takes nothing new', async () => {
  const config = readConfig({ PORT: '0', COUNTERSIGN_HOME: app.folder });
  const server = await openDoor(app, config, {
    outside: app.outside,
    doors: [
      (scope) => {
        scope.get('/test/slow', async () => {
          await new Promise((resolve) => setTimeout(resolve, 300));
          return { slow: true };
        });
      },
    ],
  });
  const slow = fetch(`${server.address}/test/slow`);
  await new Promise((resolve) => setTimeout(resolve, 100));
  const closed = server.close();

  expect(await (await slow).json()).toEqual({ slow: true });
  await closed;
  await expect(fetch(`${server.address}/health/live`)).rejects.toThrow();
});
