import { randomUUID } from 'node:crypto';
import { beforeAll, expect, test, vi } from 'vitest';
import type { Actor, UserActor } from '../../kernel/actor.js';
import { AppError } from '../../kernel/errors.js';
import { asSystem } from '../../kernel/system.js';
import { testApp, type TestApp } from '../../testing/test-app.js';
import { testDoor, type TestDoor } from '../../testing/door.js';
import { openWatch, type Watched } from './job-watch.js';
import { jobRoutes } from './jobs.http.js';

let app: TestApp;
let door: TestDoor;
let engineer: UserActor;
const signedOut = new Set<string>();

beforeAll(async () => {
  app = await testApp();
  door = await testDoor(app, {
    routes: [jobRoutes],
    admit: (actor: Actor) => {
      if (signedOut.has(actor.id)) throw new AppError('UNAUTHENTICATED', 'Sign in first', { reason: 'none' });
    },
  });
  engineer = await app.actor('engineer');
});

const newJob = async (workspaceId = app.workspaceId): Promise<string> => {
  const id = randomUUID();
  await asSystem(app.db, (tx) =>
    tx.sql(
      `insert into job (id, workspace_id, name, subject_kind, subject_id) values ($1, $2, 'test.job', 'x', 'y')`,
      [id, workspaceId],
    ),
  );
  return id;
};

const set = (id: string, state: string, progress: number, message: string): Promise<unknown> =>
  asSystem(app.db, (tx) =>
    tx.sql('update job set state = $2, progress = $3, message = $4 where id = $1', [
      id,
      state,
      progress,
      message,
    ]),
  );

interface Told {
  readonly event: string;
  readonly state?: string;
  readonly progress?: number;
  readonly message?: string;
}

/** Reads the stream to its end, or until it is left alone. */
const watch = (actor: Actor, id: string) => {
  const told: Told[] = [];
  const leave = new AbortController();
  const read = async (): Promise<number> => {
    const response = await fetch(`${door.address}/v1/jobs/${id}/events`, {
      headers: door.headersOf(actor),
      signal: leave.signal,
    });
    if (!response.body || response.status !== 200) return response.status;
    let text = '';
    for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      const parts = text.split('\n\n');
      text = parts.pop() ?? '';
      for (const part of parts) {
        const event = /^event: (.*)$/m.exec(part)?.[1];
        const data = /^data: (.*)$/m.exec(part)?.[1];
        if (event !== undefined) told.push({ event, ...(JSON.parse(data ?? '{}') as object) });
      }
    }
    return response.status;
  };
  const ended = read();
  ended.catch(() => undefined);
  return {
    told,
    ended,
    leave: () => {
      leave.abort();
    },
  };
};

test('who watches a job sees each change until it has ended', async () => {
  const id = await newJob();
  const { told, ended } = watch(engineer, id);
  await vi.waitFor(() => {
    expect(told).toHaveLength(1);
  }, 5000);
  await set(id, 'RUNNING', 0.5, 'Half');
  await vi.waitFor(() => {
    expect(told).toHaveLength(2);
  }, 5000);
  await set(id, 'DONE', 1, '');
  expect(await ended).toBe(200);
  expect(told.map(({ event, state, progress }) => [event, state, progress])).toEqual([
    ['progress', 'QUEUED', 0],
    ['progress', 'RUNNING', 0.5],
    ['progress', 'DONE', 1],
    ['end', 'DONE', 1],
  ]);
});

test('a finished job is told at once, and a browser that comes back is told there is no more', async () => {
  const id = await newJob();
  await set(id, 'FAILED', 0.2, 'It broke');
  const { told, ended } = watch(engineer, id);
  await ended;
  expect(told.map(({ event, message }) => [event, message])).toEqual([
    ['progress', 'It broke'],
    ['end', 'It broke'],
  ]);
  const again = await fetch(`${door.address}/v1/jobs/${id}/events`, {
    headers: { ...door.headersOf(engineer), 'last-event-id': 'end' },
  });
  expect(again.status).toBe(204);
});

test('nobody watches without credentials, nor a job of another workspace', async () => {
  const id = await newJob();
  expect((await fetch(`${door.address}/v1/jobs/${id}/events`)).status).toBe(401);
  const elsewhere = await newJob(await app.otherWorkspace());
  expect(await watch(engineer, elsewhere).ended).toBe(404);
  expect(await watch(engineer, 'nonsense').ended).toBe(400);
});

test('a session that ended is told nothing more', async () => {
  const id = await newJob();
  const leaver = await app.actor('auditor', { name: 'leaver' });
  const { told, ended } = watch(leaver, id);
  await vi.waitFor(() => {
    expect(told).toHaveLength(1);
  }, 5000);
  signedOut.add(leaver.id);
  await set(id, 'RUNNING', 0.9, 'A secret');
  await ended;
  expect(told.at(-1)?.event).toBe('closed');
  expect(JSON.stringify(told)).not.toContain('A secret');
});

test('one person watches ten jobs at a time and no more; leaving makes room', async () => {
  const watcher = await app.actor('reviewer', { name: 'watcher' });
  const open = await Promise.all(Array.from({ length: 10 }, async () => watch(watcher, await newJob())));
  await vi.waitFor(() => {
    expect(open.every(({ told }) => told.length === 1)).toBe(true);
  }, 5000);
  const id = await newJob();
  expect(await watch(watcher, id).ended).toBe(429);
  open[0]?.leave();
  await vi.waitFor(async () => {
    const next = watch(watcher, id);
    await vi.waitFor(() => {
      expect(next.told).toHaveLength(1);
    }, 1000);
    next.leave();
  }, 5000);
  for (const { leave } of open) leave();
});

test('many who watch the same are served by one look', async () => {
  let looks = 0;
  const watching = openWatch<Watched>(20);
  const told: unknown[] = [];
  const look = (): Promise<Watched> => {
    looks += 1;
    return Promise.resolve({ state: 'RUNNING', progress: 0, message: '', attempts: 0 });
  };
  const all = Array.from({ length: 50 }, () => watching.start('job', look, (seen) => told.push(seen)));
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(told).toHaveLength(50);
  expect(looks).toBeLessThanOrEqual(11);
  expect(watching.size()).toBe(1);
  for (const { stop } of all) stop();
  expect(watching.size()).toBe(0);
});
