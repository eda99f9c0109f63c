import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { lockThing, openKernel, resizeThing, type Kernel, type Thing } from '../testing/kernel.js';
import { defineCommand, nothingChanged, type CommandContext, type CommandOutcome } from './command.js';
import { conflict } from './errors.js';
import { defineJob, defineReaction } from './job.js';
import { withTrace } from './trace.js';

const job = defineJob({
  name: 'thing.measure',
  queue: 'light',
  payload: z.object({ id: z.uuid() }),
  attempts: 1,
  timeoutMs: 1000,
  visible: true,
  handle: () => Promise.resolve(),
});
const reaction = defineReaction({
  name: 'thing.follow',
  follows: [resizeThing],
  attempts: 1,
  handle: () => Promise.resolve(),
});

const thingId = z.object({ id: z.uuid() });
type Context = CommandContext<{ id: string }, Thing>;

/** A command on a thing with a handler of the test. */
const commandOf = <Result>(
  name: `thing.${string}`,
  handle: (context: Context) => Promise<CommandOutcome<Result>>,
) =>
  defineCommand({
    name,
    describe: 'A command of a test.',
    permission: 'useCase:update',
    input: thingId,
    target: lockThing,
    handle,
  });

const doneTo = (id: string) => ({ subject: { kind: 'thing', id } });
const grow = ({ tx, target }: Pick<Context, 'tx' | 'target'>): Promise<unknown> =>
  tx.sql('update thing set size = size + 1 where id = $1', [target.id]);

let kernel: Kernel;
beforeAll(async () => {
  kernel = await openKernel([reaction]);
});

const outboxOf = (id: string) =>
  kernel.rows(`select job, payload, request_id from outbox where payload::text like $1 order by id`, [
    `%${id}%`,
  ]);

describe('a command', () => {
  test('changes the row, leaves its trail with what changed, and asks those who follow', async () => {
    const id = await kernel.thing(1);
    const actor = kernel.actor('owner');

    const result = await withTrace({ requestId: 'request-1', door: 'test' }, () =>
      kernel.run(resizeThing, actor, { id, size: 5 }),
    );

    expect(result).toEqual({ size: 5 });
    expect(await kernel.sizeOf(id)).toBe(5);
    const [, line] = await kernel.trail(id);
    expect(line).toMatchObject({
      command: 'thing.resize',
      outcome: 'done',
      body: {
        v: 1,
        workspace: kernel.workspaceId,
        actor: { kind: 'user', id: actor.id, token: null },
        subject: { kind: 'thing', id },
        changes: { size: { from: 1, to: 5 } },
        personal: null,
        request: { id: 'request-1', door: 'test' },
      },
    });
    expect(await outboxOf(id)).toMatchObject([{ job: 'thing.follow', request_id: 'request-1' }]);
    expect(kernel.observed).toContainEqual({ kind: 'command', name: 'thing.resize', outcome: 'done' });
  });

  test('is refused to the wrong role; the refusal says who may, stands in the trail, and names nobody', async () => {
    const id = await kernel.thing();
    const auditor = { ...kernel.actor('auditor'), name: 'Ada Lovelace' };

    const refused = kernel.run(resizeThing, auditor, { id, size: 5 });

    await expect(refused).rejects.toMatchObject({
      code: 'FORBIDDEN',
      details: { permission: 'useCase:update', heldBy: expect.arrayContaining(['owner']) as unknown },
    });
    const [, line] = await kernel.trail(id);
    expect(line).toMatchObject({ outcome: 'refused', body: { facts: { code: 'FORBIDDEN' } } });
    expect(JSON.stringify(line)).not.toContain('Ada');
    expect(await kernel.sizeOf(id)).toBe(1);
  });

  test('is refused in the wrong state, and that is in the trail too', async () => {
    const id = await kernel.thing();
    const refuse = commandOf('thing.refuse', async (context) => {
      await grow(context);
      throw conflict('It is too late', { rule: 'late' });
    });

    await expect(kernel.run(refuse, kernel.actor('owner'), { id })).rejects.toMatchObject({
      code: 'CONFLICT',
    });

    expect(await kernel.sizeOf(id)).toBe(1);
    expect((await kernel.trail(id)).at(-1)).toMatchObject({
      outcome: 'refused',
      body: { facts: { code: 'CONFLICT', reason: 'It is too late', details: { rule: 'late' } } },
    });
  });

  test.each([
    ['an input that is wrong', { id: 'x', size: 1 }, 'INVALID_INPUT'],
    ['a thing that does not exist', { id: crypto.randomUUID(), size: 1 }, 'NOT_FOUND'],
  ])('does not record %s: there is nothing it was done to', async (_, input, code) => {
    const before = await kernel.rows('select count(*) as n from audit_event');

    await expect(kernel.run(resizeThing, kernel.actor('owner'), input)).rejects.toMatchObject({ code });

    expect(await kernel.rows('select count(*) as n from audit_event')).toEqual(before);
  });

  test('does not reach another workspace: its rows are not there', async () => {
    const id = await kernel.thing();
    const stranger = kernel.actor('owner', crypto.randomUUID());

    await expect(kernel.run(resizeThing, stranger, { id, size: 2 })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });

  test('needs a workspace to act in', async () => {
    const nowhere = { ...kernel.actor('owner'), workspaceId: null };

    await expect(
      kernel.run(resizeThing, nowhere, { id: crypto.randomUUID(), size: 1 }),
    ).rejects.toMatchObject({ code: 'PRECONDITION_FAILED' });
  });
});

describe('nothing is half done', () => {
  test('a handler that says nothing changed and changes a governed row does not commit', async () => {
    const id = await kernel.thing();
    const lie = commandOf('thing.lie', async (context) => {
      await grow(context);
      return { result: null, audit: nothingChanged };
    });

    await expect(kernel.run(lie, kernel.actor('owner'), { id })).rejects.toThrow(
      'outside an audited command',
    );

    expect(await kernel.sizeOf(id)).toBe(1);
  });

  test('a handler that catches the error of a statement does not report success', async () => {
    const id = await kernel.thing();
    const swallow = commandOf('thing.swallow', async ({ tx, target }) => {
      await tx.sql('update thing set size = -1 where id = $1', [target.id]).catch(() => undefined);
      return { result: 'fine', audit: nothingChanged };
    });

    await expect(kernel.run(swallow, kernel.actor('owner'), { id })).rejects.toThrow('Nothing was changed');
  });

  test('a handler that throws leaves no row, no trail, no work and no job to watch', async () => {
    const id = await kernel.thing();
    const broken = commandOf('thing.break', async (context) => {
      await grow(context);
      context.enqueue(job, { id }, { subject: { kind: 'thing', id } });
      throw new Error('a bug');
    });

    await expect(kernel.run(broken, kernel.actor('owner'), { id })).rejects.toThrow('a bug');

    expect(await kernel.sizeOf(id)).toBe(1);
    expect(await kernel.trail(id)).toHaveLength(1);
    expect(await outboxOf(id)).toEqual([]);
    expect(await kernel.rows('select * from job where subject_id = $1', [id])).toEqual([]);
    expect(kernel.observed.at(-1)).toEqual({ kind: 'command', name: 'thing.break', outcome: 'error' });
  });

  test('work, and the job that people watch, are there with the change and under one id', async () => {
    const id = await kernel.thing();
    const ask = commandOf('thing.ask', async (context) => {
      await grow(context);
      const jobId = context.enqueue(job, { id }, { subject: { kind: 'thing', id } });
      return { result: { jobId }, audit: doneTo(id) };
    });

    const { jobId } = await kernel.run(ask, kernel.actor('owner'), { id });

    expect(await kernel.rows('select job, workspace_id from outbox where id = $1', [jobId])).toEqual([
      { job: 'thing.measure', workspace_id: kernel.workspaceId },
    ]);
    expect(await kernel.rows('select state, subject_id from job where id = $1', [jobId])).toEqual([
      { state: 'QUEUED', subject_id: id },
    ]);
  });

  test('a payload that the job would refuse refuses the change', async () => {
    const id = await kernel.thing();
    const wrong = commandOf('thing.askWrongly', async (context) => {
      await grow(context);
      context.enqueue(job, { id: 'not an id' });
      return { result: null, audit: doneTo(id) };
    });

    await expect(kernel.run(wrong, kernel.actor('owner'), { id })).rejects.toThrow();

    expect(await kernel.sizeOf(id)).toBe(1);
  });

  test('a statement that nobody waited for does not reach the connection afterwards', async () => {
    const id = await kernel.thing();
    let late: Promise<unknown> = Promise.resolve();
    const leak = commandOf('thing.leak', async ({ tx }) => {
      late = sleep(50).then(() => tx.sql('update thing set size = 99 where id = $1', [id]));
      late.catch(() => undefined);
      return { result: null, audit: nothingChanged };
    });

    await kernel.run(leak, kernel.actor('owner'), { id });

    await expect(late).rejects.toThrow('The transaction is over');
    expect(await kernel.sizeOf(id)).toBe(1);
  });

  test('three thousand subjects of one command are three thousand entries', async () => {
    const id = await kernel.thing();
    const command = commandOf('thing.many', () => {
      const [first, ...rest] = Array.from({ length: 3000 }, () => doneTo(id));
      return Promise.resolve({ result: null, audit: [first ?? doneTo(id), ...rest] as const });
    });

    await kernel.run(command, kernel.actor('owner'), { id });

    expect(await kernel.trail(id)).toHaveLength(3001);
  });
});

describe('a connection that is lost in the middle', () => {
  const terminate = (application: string) =>
    kernel.asOwner(
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database()
         and application_name = '${application}' and state = 'idle in transaction'`,
    );

  test('is an error with nothing half done; the next command works, and the pool is whole', async () => {
    const id = await kernel.thing();
    const cut = commandOf('thing.cut', async (context) => {
      await grow(context);
      context.enqueue(job, { id });
      await terminate('kernel-test');
      await sleep(50);
      return { result: null, audit: doneTo(id) };
    });

    for (let round = 0; round < 6; round += 1) {
      await expect(kernel.run(cut, kernel.actor('owner'), { id })).rejects.toThrow();
    }

    expect(await kernel.sizeOf(id)).toBe(1);
    expect(await kernel.trail(id)).toHaveLength(1);
    expect(await outboxOf(id)).toEqual([]);
    await kernel.run(resizeThing, kernel.actor('owner'), { id, size: 7 });
    expect(await kernel.sizeOf(id)).toBe(7);
    expect(kernel.db.usage().find(({ role }) => role === 'app_writer')).toMatchObject({ waiting: 0 });
  });

  test('is an error while a statement runs, too', async () => {
    const id = await kernel.thing();
    const cut = commandOf('thing.cutLate', async (context) => {
      await grow(context);
      await context.tx.sql('select pg_terminate_backend(pg_backend_pid())');
      return { result: null, audit: doneTo(id) };
    });

    await expect(kernel.run(cut, kernel.actor('owner'), { id })).rejects.toThrow();

    await kernel.run(resizeThing, kernel.actor('owner'), { id, size: 2 });
    expect(await kernel.trail(id)).toHaveLength(2);
  });
});

describe('transactions that meet', () => {
  test('a deadlock is done again, and both changes stand', async () => {
    const [a, b] = [await kernel.thing(), await kernel.thing()];
    let tries = 0;
    const both = defineCommand({
      name: 'thing.growBoth',
      describe: 'Grows two things, one after the other.',
      permission: 'useCase:update',
      input: z.object({ first: z.uuid(), second: z.uuid() }),
      target: (tx, { first }) => lockThing(tx, { id: first }),
      handle: async ({ tx, input, target }) => {
        tries += 1;
        await grow({ tx, target });
        await sleep(100);
        await grow({ tx, target: await lockThing(tx, { id: input.second }) });
        return { result: null, audit: [doneTo(input.first), doneTo(input.second)] };
      },
    });
    const actor = kernel.actor('owner');

    await Promise.all([
      kernel.run(both, actor, { first: a, second: b }),
      kernel.run(both, actor, { first: b, second: a }),
    ]);

    expect(tries).toBeGreaterThan(2);
    expect([await kernel.sizeOf(a), await kernel.sizeOf(b)]).toEqual([3, 3]);
    expect(await kernel.trail(a)).toHaveLength(3);
  });

  test('a serialization failure is done again under a new id of the command', async () => {
    const id = await kernel.thing();
    let tries = 0;
    const command = commandOf('thing.serialize', async (context) => {
      tries += 1;
      await grow(context);
      if (tries === 1) {
        await context.tx.sql(`do $$ begin raise exception 'serialize' using errcode = '40001'; end $$`);
      }
      return { result: null, audit: doneTo(id) };
    });

    await kernel.run(command, kernel.actor('owner'), { id });

    expect(tries).toBe(2);
    expect(await kernel.sizeOf(id)).toBe(2);
    expect(await kernel.trail(id)).toHaveLength(2);
  });

  test('what never succeeds is given up after the third try', async () => {
    const id = await kernel.thing();
    let tries = 0;
    const command = commandOf('thing.never', async ({ tx }) => {
      tries += 1;
      await tx.sql(`do $$ begin raise exception 'serialize' using errcode = '40001'; end $$`);
      return { result: null, audit: doneTo(id) };
    });

    await expect(kernel.run(command, kernel.actor('owner'), { id })).rejects.toMatchObject({ code: '40001' });

    expect(tries).toBe(3);
  });
});
