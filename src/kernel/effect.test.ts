import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { lockThing, openKernel, type Kernel, type Thing } from '../testing/kernel.js';
import { defineCommand, type CommandContext, type CommandOutcome } from './command.js';

type Context = CommandContext<{ id: string }, Thing>;

const commandOf = <Result>(handle: (context: Context) => Promise<CommandOutcome<Result>>) =>
  defineCommand({
    name: 'thing.once',
    describe: 'A command of a test.',
    permission: 'useCase:update',
    input: z.object({ id: z.uuid() }),
    target: lockThing,
    handle,
  });

let kernel: Kernel;
beforeAll(async () => {
  kernel = await openKernel();
});

describe('under one effect key', () => {
  const counted = (id: string) => {
    let runs = 0;
    const command = commandOf(async ({ tx }) => {
      runs += 1;
      await tx.sql('update thing set size = size + 1 where id = $1', [id]);
      await sleep(20);
      return { result: { run: runs }, audit: { subject: { kind: 'thing', id } } };
    });
    return { command, runs: () => runs };
  };

  test('twice is once, and the second learns what the first returned', async () => {
    const id = await kernel.thing();
    const { command, runs } = counted(id);
    const actor = kernel.actor('owner');

    const first = await kernel.run(command, actor, { id }, { effectKey: `${id}:once` });
    const second = await kernel.run(command, actor, { id }, { effectKey: `${id}:once` });

    expect(second).toEqual(first);
    expect(runs()).toBe(1);
    expect(await kernel.sizeOf(id)).toBe(2);
    expect(await kernel.trail(id)).toHaveLength(2);
  });

  test('four at the same time are once', async () => {
    const id = await kernel.thing();
    const { command } = counted(id);
    const actor = kernel.actor('owner');

    const results = await Promise.all(
      [1, 2, 3, 4].map(() => kernel.run(command, actor, { id }, { effectKey: `${id}:same` })),
    );

    expect(new Set(results.map(({ run }) => run)).size).toBe(1);
    expect(await kernel.sizeOf(id)).toBe(2);
  });

  test('a run that failed does not count', async () => {
    const id = await kernel.thing();
    const actor = kernel.actor('owner');
    const broken = commandOf(() => Promise.reject(new Error('a bug')));

    await expect(kernel.run(broken, actor, { id }, { effectKey: `${id}:f` })).rejects.toThrow('a bug');
    await kernel.run(counted(id).command, actor, { id }, { effectKey: `${id}:f` });

    expect(await kernel.sizeOf(id)).toBe(2);
  });
});
