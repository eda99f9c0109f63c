import { beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { openKernel, type Kernel } from '../testing/kernel.js';
import { defineQuery, type QueryContext, type QuerySpec } from './query.js';
import { withTrace } from './trace.js';

const input = z.object({ id: z.uuid() });
type Spec = QuerySpec<typeof input, unknown>;

const queryOf = (
  handle: (context: QueryContext<{ id: string }>) => Promise<unknown>,
  more: Partial<Spec> = {},
) =>
  defineQuery({
    name: 'thing.look',
    describe: 'A query of a test.',
    permission: 'useCase:read',
    input,
    handle,
    ...more,
  });

let kernel: Kernel;
beforeAll(async () => {
  kernel = await openKernel();
});

const sizes = queryOf(({ db, input: { id } }) => db.sql('select size from thing where id = $1', [id]));

describe('a query', () => {
  test('sees the rows of its workspace and of no other', async () => {
    const id = await kernel.thing(3);

    expect(await kernel.ask(sizes, kernel.actor('auditor'), { id })).toEqual([{ size: 3 }]);
    expect(await kernel.ask(sizes, kernel.actor('auditor', crypto.randomUUID()), { id })).toEqual([]);
    expect(kernel.observed.at(-1)).toEqual({ kind: 'query', name: 'thing.look', outcome: 'done' });
  });

  test.each([
    ['an update', `update thing set size = 9`],
    ['an insert', `insert into reading values (gen_random_uuid(), gen_random_uuid(), 1)`],
    ['a table of its own', `create table mine ()`],
    ['leaving read-only', `set transaction read write`],
  ])('cannot write: %s is refused, in a workspace and above', async (_, statement) => {
    const id = await kernel.thing(3);

    for (const scope of ['workspace', 'installation'] as const) {
      const write = queryOf(({ db }) => db.sql(statement), { scope });
      await expect(kernel.ask(write, kernel.actor('auditor'), { id })).rejects.toThrow();
    }

    expect(await kernel.sizeOf(id)).toBe(3);
  });

  test.each([
    ['without the permission', { scopes: [] }, {}, 'FORBIDDEN'],
    ['outside of any workspace', { workspaceId: null }, {}, 'PRECONDITION_FAILED'],
    ['with a wrong input', {}, { id: 7 }, 'INVALID_INPUT'],
  ])('is refused %s', async (_, actor, given, code) => {
    const asked = { id: crypto.randomUUID(), ...given } as { id: string };

    await expect(kernel.ask(sizes, { ...kernel.actor('auditor'), ...actor }, asked)).rejects.toMatchObject({
      code,
    });
  });
});

describe('a read that must leave a trace', () => {
  const recorded = queryOf(() => Promise.resolve('a file'), {
    recordAccess: ({ id }, result) => ({ subject: { kind: 'thing', id }, facts: { result } }),
  });

  test('stands in the trail, with the request that caused it, before the answer is given', async () => {
    const id = crypto.randomUUID();
    const actor = kernel.actor('auditor');

    const answer = await withTrace({ requestId: 'request-9', door: 'test' }, () =>
      kernel.ask(recorded, actor, { id }),
    );

    expect(answer).toBe('a file');
    expect(await kernel.trail(id)).toMatchObject([
      {
        command: 'thing.look',
        outcome: 'read',
        body: { actor: { id: actor.id }, facts: { result: 'a file' }, request: { id: 'request-9' } },
      },
    ]);
  });

  test('gives no answer when the trace cannot be left', async () => {
    const id = crypto.randomUUID();
    await kernel.asOwner('revoke insert on audit_event from app_writer');
    try {
      await expect(kernel.ask(recorded, kernel.actor('auditor'), { id })).rejects.toThrow(
        'permission denied',
      );
    } finally {
      await kernel.asOwner('grant insert on audit_event to app_writer');
    }
  });

  test('leaves none when nothing was shown', async () => {
    const id = crypto.randomUUID();
    const silent = queryOf(() => Promise.resolve(null), { recordAccess: () => null });

    await kernel.ask(silent, kernel.actor('auditor'), { id });

    expect(await kernel.trail(id)).toEqual([]);
  });
});
